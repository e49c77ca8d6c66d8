use lopdf::encryption::{EncryptionState, EncryptionVersion, Permissions};
use lopdf::{Object, Stream, dictionary};

use super::*;

/// A JPEG by its segments, with where it was taken.
const PHOTO: &[u8] =
    b"\xff\xd8\xff\xe1\0\x0aExifSECR\xff\xdb\0\x04\x01\x02\xff\xda\0\x03\x01\x12\x34\xff\xd9SECRET-film";
const BARE_PHOTO: &[u8] = b"\xff\xd8\xff\xdb\0\x04\x01\x02\xff\xda\0\x03\x01\x12\x34\xff\xd9";

fn text(text: &str) -> Object {
    Object::string_literal(text)
}

fn written(mut document: Document) -> Vec<u8> {
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// One page that shows a photo, a text and a field, in a document that has everything else too: each has `SECRET` in it.
fn everything() -> Document {
    let mut document = Document::with_version("1.5");
    let xmp = || {
        let dictionary = dictionary! { "Type" => "Metadata", "Subtype" => "XML" };
        Object::Stream(Stream::new(dictionary, b"<x:xmpmeta>SECRET-author</x:xmpmeta>".to_vec()))
    };
    let script = dictionary! { "S" => "JavaScript", "JS" => text("SECRET-script") };
    let script = document.add_object(script);
    let metadata = document.add_object(xmp());
    let photo = Stream::new(
        dictionary! {
            "Type" => "XObject", "Subtype" => "Image", "Width" => 1, "Height" => 1, "BitsPerComponent" => 8, "ColorSpace" => "DeviceGray",
            "Filter" => "DCTDecode", "Metadata" => metadata, "PieceInfo" => dictionary! { "Maker" => text("SECRET-tool") },
        },
        PHOTO.to_vec(),
    );
    let photo = document.add_object(photo);
    // The same in hexadecimal digits.
    let digits: String = PHOTO.iter().map(|byte| format!("{byte:02x}")).collect();
    let wrapped = dictionary! {
        "Type" => "XObject", "Subtype" => "Image", "Filter" => vec!["ASCIIHexDecode".into(), "DCTDecode".into()],
    };
    let wrapped = document.add_object(Stream::new(wrapped, format!("{digits}>").into_bytes()));
    let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" };
    let font = document.add_object(font);
    let contents =
        document.add_object(Stream::new(dictionary! {}, b"BT /F1 9 Tf (an invoice) Tj ET /Im1 Do /Im2 Do".to_vec()));
    let look = Stream::new(dictionary! { "Type" => "XObject", "Subtype" => "Form" }, b"(filled in) Tj".to_vec());
    let look = document.add_object(look);
    let page = document.new_object_id();
    let field = dictionary! {
        "Type" => "Annot", "Subtype" => "Widget", "FT" => "Tx", "T" => text("SECRET-name"), "V" => text("SECRET-value"), "A" => script,
        "AA" => dictionary! { "K" => script }, "Rect" => vec![1.into(), 2.into(), 3.into(), 4.into()], "P" => page,
        "AP" => dictionary! { "N" => look, "D" => script }, "F" => 4,
    };
    let field = document.add_object(field);
    let link = dictionary! {
        "Type" => "Annot", "Subtype" => "Link", "Rect" => vec![1.into(), 2.into(), 3.into(), 4.into()],
        "A" => dictionary! { "S" => "URI", "URI" => text("https://SECRET.example") },
    };
    let hidden = dictionary! {
        "Type" => "Annot", "Subtype" => "FreeText", "Rect" => vec![1.into(), 2.into(), 3.into(), 4.into()], "F" => 2,
        "AP" => dictionary! { "N" => document.add_object(Stream::new(dictionary! {}, b"(SECRET-hidden) Tj".to_vec())) },
    };
    let file =
        document.add_object(Stream::new(dictionary! { "Type" => "EmbeddedFile" }, b"SECRET-attachment".to_vec()));
    let file = document.add_object(
        dictionary! { "Type" => "Filespec", "F" => text("SECRET.exe"), "EF" => dictionary! { "F" => file } },
    );
    let attached = dictionary! { "Type" => "Annot", "Subtype" => "FileAttachment", "FS" => file };
    let thumbnail = document.add_object(Stream::new(dictionary! {}, b"SECRET-thumbnail".to_vec()));
    let above = document.new_object_id();
    document.set_object(
        page,
        dictionary! {
            "Type" => "Page", "Parent" => above, "Contents" => vec![contents.into()], "Thumb" => thumbnail, "Metadata" => metadata,
            "AA" => dictionary! { "O" => script }, "LastModified" => text("D:SECRET"),
            "Annots" => vec![field.into(), link.into(), hidden.into(), attached.into()],
        },
    );
    let resources = dictionary! {
        "Font" => dictionary! { "F1" => font },
        "XObject" => dictionary! { "Im1" => photo, "Im2" => wrapped, "Im3" => page, "Im4" => file, "Im5" => script, "Im6" => metadata },
        "Properties" => dictionary! { "MC0" => dictionary! { "Type" => "OCG", "Name" => text("SECRET-layer") } },
    };
    document.set_object(
        above,
        dictionary! {
            "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1, "Resources" => resources, "Rotate" => 90,
            "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        },
    );
    let names = |what| dictionary! { "Names" => vec![text("SECRET-entry"), what] };
    let catalog = dictionary! {
        "Type" => "Catalog", "Pages" => above, "Metadata" => metadata, "OpenAction" => script, "AA" => dictionary! { "WC" => script },
        "Names" => dictionary! { "JavaScript" => names(script.into()), "EmbeddedFiles" => names(file.into()) },
        "AcroForm" => dictionary! {
            "Fields" => vec![field.into()], "XFA" => text("SECRET-form"),
            "CO" => dictionary! { "S" => "SubmitForm", "F" => text("https://SECRET.example") },
        },
        "Outlines" => dictionary! { "Title" => text("SECRET-outline"), "A" => dictionary! { "S" => "Launch", "F" => text("SECRET.exe") } },
    };
    let catalog = document.add_object(catalog);
    let info = dictionary! { "Author" => text("SECRET-author"), "Producer" => text("SECRET-tool"), "CreationDate" => text("D:SECRET") };
    let info = document.add_object(info);
    document.trailer.set("Root", catalog);
    document.trailer.set("Info", info);
    document.trailer.set("ID", vec![text("SECRET-id"), text("SECRET-id")]);
    document
}

/// A page that asks for this.
fn page_with(key: &str, make: impl FnOnce(&mut Document) -> Object) -> Vec<u8> {
    let mut document = everything();
    let value = make(&mut document);
    let page = document.page_iter().next().unwrap();
    document.get_dictionary_mut(page).unwrap().set(key, value);
    written(document)
}

fn holds(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|window| window == what.as_bytes())
}

#[test]
fn pages_are_kept_and_nothing_else() {
    let made = everything();
    let mut modern = Vec::new();
    made.clone().save_modern(&mut modern).unwrap();
    for bytes in [written(made), modern] {
        let cleaned = clean(&bytes).unwrap();
        let shown = String::from_utf8_lossy(&cleaned).into_owned();
        for gone in [
            "SECR",
            "JavaScript",
            "Exif",
            "xmpmeta",
            "Launch",
            "URI",
            "EmbeddedFile",
            "Widget",
            "Info",
            "AcroForm",
            "/AA",
            "/ID",
        ] {
            assert!(!holds(&cleaned, gone), "{gone}: {shown}");
        }
        let again = Document::load_mem(&cleaned).unwrap();
        let pages: Vec<_> = again.page_iter().collect();
        let [page] = pages[..] else { panic!("{shown}") };
        assert!(holds(&again.get_page_content(page), "an invoice"));
        let page = again.get_dictionary(page).unwrap();
        assert_eq!(page.get(b"Rotate").unwrap().as_i64().unwrap(), 90, "from above");
        let looks = page.get(b"Annots").unwrap().as_array().unwrap();
        let [Object::Dictionary(look)] = &looks[..] else { panic!("{shown}") };
        assert!(look.has_type(b"Annot") && look.get(b"Subtype").unwrap().as_name().unwrap() == b"Stamp");
        let resources = page.get(b"Resources").unwrap().as_dict().unwrap();
        let drawn = resources.get(b"XObject").unwrap().as_dict().unwrap();
        for name in [b"Im1", b"Im2"] {
            let photo = drawn.get_deref(name, &again).unwrap().as_stream().unwrap();
            assert_eq!(photo.content, BARE_PHOTO);
            assert_eq!(photo.filters().unwrap(), [b"DCTDecode"]);
        }
        for name in [b"Im3", b"Im4", b"Im5", b"Im6"] {
            assert!(drawn.get(name).unwrap().is_null(), "{shown}");
        }
        // Once more makes no difference.
        assert_eq!(clean(&cleaned).map(|twice| twice.len()), Ok(cleaned.len()));
    }
}

#[test]
fn an_earlier_version_of_the_file_is_gone() {
    let first = written(everything());
    let old = Document::load_mem(&first).unwrap();
    let mut update = lopdf::IncrementalDocument::create_from(first, old);
    let note = update.new_document.add_object(text("SECRET-second"));
    update.new_document.trailer.set("Note", note);
    let mut bytes = Vec::new();
    update.save_to(&mut bytes).unwrap();
    let cleaned = clean(&bytes).unwrap();
    assert!(!holds(&cleaned, "SECR") && holds(&cleaned, "an invoice"));
}

#[test]
fn an_encrypted_one_is_refused() {
    for user_password in ["", "secret"] {
        let mut document = everything();
        let version = EncryptionVersion::V2 {
            document: &document,
            owner_password: "owner",
            user_password,
            key_length: 128,
            permissions: Permissions::all(),
        };
        let state = EncryptionState::try_from(version).unwrap();
        document.encrypt(&state).unwrap();
        assert_eq!(clean(&written(document)), Err(Unclean::Encrypted), "{user_password:?}");
    }
    // By who knows how.
    let mut document = everything();
    document.trailer.set("Encrypt", dictionary! { "Filter" => "Own", "V" => 1 });
    assert_eq!(clean(&written(document)), Err(Unclean::Encrypted));
}

#[test]
fn what_grows_is_refused() {
    // Zeros, of which a kilobyte holds a megabyte, for packed objects.
    let mut bomb = page_with("Group", |document| {
        let zeros = vec![b' '; MAX_UNFOLDED + 1];
        let mut packed = Stream::new(dictionary! { "Type" => "ObjXxx", "N" => 1, "First" => 4 }, zeros);
        packed.compress().unwrap();
        Object::Reference(document.add_object(packed))
    });
    assert!(bomb.len() < 64 * 1024);
    assert!(clean(&bomb).is_ok());
    // The writer would leave out what is called so.
    let name = memchr::memmem::find(&bomb, b"ObjXxx").unwrap();
    bomb[name..name + 6].copy_from_slice(b"ObjStm");
    assert_eq!(clean(&bomb), Err(Unclean::Unreadable), "packed objects");
    let bomb = page_with("Group", |document| {
        let mut photo = Stream::new(dictionary! {}, vec![0; MAX_UNFOLDED + 1]);
        photo.compress().unwrap();
        photo.dict.set("Filter", vec!["FlateDecode".into(), "DCTDecode".into()]);
        Object::Reference(document.add_object(photo))
    });
    assert!(bomb.len() < 64 * 1024);
    assert_eq!(clean(&bomb), Err(Unclean::Unreadable), "a packed photo");
    let many = page_with("Group", |document| {
        Object::Array((0..=MAX_OBJECTS).map(|_| Object::Reference(document.add_object(Object::Null))).collect())
    });
    assert_eq!(clean(&many), Err(Unclean::Unreadable), "objects");

    // A hundred pages that are each as long as what they share.
    let with_pages = |count: usize, fonts: usize| {
        let mut document = everything();
        let above = document.catalog().unwrap().get(b"Pages").unwrap().as_reference().unwrap();
        let page = dictionary! { "Type" => "Page", "Parent" => above };
        let kids: Vec<_> = (0..count).map(|_| Object::Reference(document.add_object(page.clone()))).collect();
        let above = document.get_dictionary_mut(above).unwrap();
        above.set("Resources", dictionary! { "Font" => vec![Object::Null; fonts] });
        above.set("Kids", kids);
        clean(&written(document)).map(|cleaned| Document::load_mem(&cleaned).unwrap().page_iter().count())
    };
    assert_eq!(with_pages(MAX_PAGES, 1), Ok(MAX_PAGES));
    assert_eq!(with_pages(MAX_PAGES + 1, 1), Err(Unclean::Unreadable), "pages");
    assert_eq!(with_pages(100, 20_000), Err(Unclean::Unreadable), "shared by pages");
}

#[test]
fn circles_end() {
    let circle = page_with("Group", |document| {
        let id = document.new_object_id();
        document.set_object(id, vec![Object::Reference(id)]);
        Object::Reference(id)
    });
    assert!(clean(&circle).is_ok());
    let mut tree = everything();
    let above = tree.catalog().unwrap().get(b"Pages").unwrap().as_reference().unwrap();
    tree.get_dictionary_mut(above).unwrap().set("Kids", vec![Object::Reference(above)]);
    tree.get_dictionary_mut(above).unwrap().set("Parent", above);
    assert_eq!(clean(&written(tree)), Err(Unclean::Unreadable), "no page");
}

#[test]
fn what_is_no_pdf_is_refused() {
    let whole = written(everything());
    for bytes in [
        &b"%PDF-1.7\n<script>alert(1)</script>\n%%EOF\n"[..],
        b"%PDF-1.7\n<html>",
        b"%PDF-<script>%%EOF",
        b"%PDF-",
        b"",
        b"<html>%%EOF",
        &whole[..whole.len() / 2],
        &whole[1..],
        &[b"GIF89a", &whole[..]].concat(),
    ] {
        assert_eq!(
            clean(bytes),
            Err(Unclean::Unreadable),
            "{}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(40)])
        );
    }
    assert_eq!(clean(&vec![0; MAX_PDF + 1]), Err(Unclean::TooLarge));
    let packed = page_with("Contents", |document| {
        let mut half = Stream::new(dictionary! {}, vec![b' '; 100]);
        half.dict.set("Filter", "DCTDecode");
        Object::Reference(document.add_object(half))
    });
    assert_eq!(clean(&packed), Err(Unclean::Unreadable), "a photo that is none");
}
