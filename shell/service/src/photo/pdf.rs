//! A PDF's pages written anew: what they show, and nothing that the file carries beside them. Pure; only the child calls it in a
//! service.
//!
//! Not what is known to be bad is taken out, but what a page needs is taken over into a new file: its contents, what those draw with
//! (fonts, pictures, patterns), its size, and the looks of what stands on it. So there is no way for a script, an action, an attachment, a form,
//! an outline, an earlier version of the file, its author or its history to come along. What the contents draw is not looked into.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId, Stream};
use serde::{Deserialize, Serialize};

use super::bare;

/// Most bytes of a PDF, as it comes and as it is kept.
pub const MAX_PDF: usize = 8 * 1024 * 1024;
/// Where a PDF says that it ends: within its last so many bytes.
const END: usize = 1024;
/// Most bytes that one stream of packed objects, or one packed picture, may unfold to.
const MAX_UNFOLDED: usize = 16 * 1024 * 1024;
/// Most pages: an invoice has few, a contract tens.
const MAX_PAGES: usize = 500;
/// Most objects that are taken over.
const MAX_OBJECTS: usize = 50_000;
/// Most values in all objects together, so that what is short in the file and shared by all its pages does not grow.
const MAX_VALUES: usize = 1_000_000;
/// How deep a page may be in the tree of pages, and an object in others. The parser stops at 100.
const MAX_DEPTH: usize = 110;

/// Left out wherever they stand. Programs do not name fonts and pictures so, which come as `F1` and `Im2`.
const LEFT_OUT: [&[u8]; 16] = [
    b"AA",
    b"AF",
    b"Alternates",
    b"EF",
    b"JS",
    b"LastModified",
    b"Measure",
    b"Metadata",
    b"OC",
    b"OPI",
    b"PieceInfo",
    b"Properties",
    b"PtData",
    b"Ref",
    b"StructParent",
    b"StructParents",
];
/// Left out of streams: that their content is in another file.
const ELSEWHERE: [&[u8]; 3] = [b"F", b"FDecodeParms", b"FFilter"];
/// What a page does not draw with.
const NOT_DRAWN: [&[u8]; 20] = [
    b"Action",
    b"Annot",
    b"Bead",
    b"Catalog",
    b"EmbeddedFile",
    b"Encrypt",
    b"F",
    b"Filespec",
    b"Metadata",
    b"OCG",
    b"OCMD",
    b"ObjStm",
    b"Outlines",
    b"Page",
    b"Pages",
    b"Sig",
    b"StructElem",
    b"StructTreeRoot",
    b"Thread",
    b"XRef",
];
/// Actions, which need not say that they are ones.
const ACTIONS: [&[u8]; 17] = [
    b"GoTo",
    b"GoTo3DView",
    b"GoToE",
    b"GoToR",
    b"Hide",
    b"ImportData",
    b"JavaScript",
    b"Launch",
    b"Movie",
    b"Named",
    b"Rendition",
    b"ResetForm",
    b"SetOCGState",
    b"Sound",
    b"SubmitForm",
    b"Thread",
    b"URI",
];
/// What of a page is taken over, but for what it may have from above.
const OF_A_PAGE: [&[u8]; 6] = [b"Contents", b"Group", b"UserUnit", b"TrimBox", b"BleedBox", b"ArtBox"];
/// What a page may have from above (ISO 32000-2, section 7.7.3.4).
const INHERITED: [&[u8]; 4] = [b"Resources", b"MediaBox", b"CropBox", b"Rotate"];
/// Flags of what stands on a page and is not seen: *Hidden* and *NoView* (ISO 32000-2, section 12.5.3).
const UNSEEN: i64 = 0b10_0010;
/// Of the same flags: *Print*.
const PRINTED: i64 = 0b100;

/// Why a PDF is not taken. The names are what the child writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Unclean {
    /// More than [`MAX_PDF`], before or after.
    #[error("the PDF is larger than 8 MiB")]
    TooLarge,
    /// Encrypted, be it with an empty password.
    #[error("the PDF is encrypted")]
    Encrypted,
    /// Damaged, without pages, or with more in it than is taken.
    #[error("the PDF cannot be read, or there is too much in it")]
    Unreadable,
}

/// The pages of a PDF as a PDF of its own.
///
/// # Errors
/// [`Unclean`] says why there is none.
pub fn clean(bytes: &[u8]) -> Result<Vec<u8>, Unclean> {
    if bytes.len() > MAX_PDF {
        return Err(Unclean::TooLarge);
    }
    let end = &bytes[bytes.len().saturating_sub(END)..];
    let begins = bytes.starts_with(b"%PDF-1.") || bytes.starts_with(b"%PDF-2.");
    if !begins || !end.windows(5).any(|window| window == b"%%EOF") {
        return Err(Unclean::Unreadable);
    }
    // Who finds a file that makes the parser panic has found one that is not taken.
    catch_unwind(AssertUnwindSafe(|| pages_of(bytes))).unwrap_or(Err(Unclean::Unreadable))
}

fn pages_of(bytes: &[u8]) -> Result<Vec<u8>, Unclean> {
    let options = LoadOptions::with_max_decompressed_size(MAX_UNFOLDED);
    let old = Document::load_mem_with_options(bytes, options).map_err(|_| {
        // One that is encrypted in a way that the parser does not know is one it cannot read.
        let locked = memchr::memmem::find(bytes, b"/Encrypt").is_some();
        if locked { Unclean::Encrypted } else { Unclean::Unreadable }
    })?;
    if old.trailer.has(b"Encrypt") || old.was_encrypted() {
        return Err(Unclean::Encrypted);
    }
    let mut written = Vec::new();
    Copy::new(&old).run()?.save_to(&mut written).map_err(|_| Unclean::Unreadable)?;
    if written.len() > MAX_PDF { Err(Unclean::TooLarge) } else { Ok(written) }
}

/// Takes pages over from one document to another.
struct Copy<'a> {
    old: &'a Document,
    new: Document,
    /// Where each object taken over stands.
    places: HashMap<ObjectId, ObjectId>,
    /// Those that have a place and are not there yet.
    waiting: Vec<ObjectId>,
    values: usize,
}

impl<'a> Copy<'a> {
    fn new(old: &'a Document) -> Self {
        let new = Document::with_version("1.7");
        Self { old, new, places: HashMap::new(), waiting: Vec::new(), values: 0 }
    }

    fn run(mut self) -> Result<Document, Unclean> {
        let above = self.new.new_object_id();
        let mut kids = Vec::new();
        for page in self.old.page_iter() {
            if kids.len() == MAX_PAGES {
                return Err(Unclean::Unreadable);
            }
            let page = self.old.get_dictionary(page).map_err(|_| Unclean::Unreadable)?;
            let mut page = self.page(page)?;
            page.set("Parent", above);
            kids.push(Object::Reference(self.new.add_object(page)));
            while let Some(id) = self.waiting.pop() {
                let object = self.old.get_object(id).map_err(|_| Unclean::Unreadable)?;
                let object = self.object(object, 0)?;
                self.new.set_object(self.places[&id], object);
            }
        }
        if kids.is_empty() {
            return Err(Unclean::Unreadable);
        }
        let mut pages = Dictionary::new();
        pages.set("Type", Object::Name(b"Pages".to_vec()));
        pages.set("Count", i64::try_from(kids.len()).expect("at most MAX_PAGES"));
        pages.set("Kids", kids);
        self.new.set_object(above, pages);
        let mut catalog = Dictionary::new();
        catalog.set("Type", Object::Name(b"Catalog".to_vec()));
        catalog.set("Pages", above);
        let catalog = self.new.add_object(catalog);
        self.new.trailer.set("Root", catalog);
        Ok(self.new)
    }

    fn page(&mut self, page: &'a Dictionary) -> Result<Dictionary, Unclean> {
        let mut new = Dictionary::new();
        new.set("Type", Object::Name(b"Page".to_vec()));
        for key in OF_A_PAGE {
            if let Ok(value) = page.get(key) {
                new.set(key, self.object(value, 0)?);
            }
        }
        for key in INHERITED {
            if let Some(value) = self.inherited(page, key) {
                new.set(key, self.object(value, 0)?);
            }
        }
        let mut looks = Vec::new();
        if let Ok(Object::Array(annotations)) = page.get_deref(b"Annots", self.old) {
            for annotation in annotations {
                if let Ok((_, Object::Dictionary(annotation))) = self.old.dereference(annotation)
                    && let Some(look) = self.look(annotation)?
                {
                    looks.push(Object::Dictionary(look));
                }
            }
        }
        if !looks.is_empty() {
            new.set("Annots", looks);
        }
        Ok(new)
    }

    fn inherited(&self, page: &'a Dictionary, key: &[u8]) -> Option<&'a Object> {
        let mut node = page;
        for _ in 0..MAX_DEPTH {
            match node.get(key) {
                Ok(value) => return Some(value),
                Err(_) => node = node.get_deref(b"Parent", self.old).ok()?.as_dict().ok()?,
            }
        }
        None
    }

    /// How a field that was filled in, a signature or a note looks on its page: as a stamp, which does nothing. `None` if it has no
    /// look of its own or is hidden.
    fn look(&mut self, annotation: &'a Dictionary) -> Result<Option<Dictionary>, Unclean> {
        let flags = annotation.get_deref(b"F", self.old).and_then(Object::as_i64).unwrap_or(0);
        self.count()?;
        let normal = annotation.get_deref(b"AP", self.old).and_then(Object::as_dict).and_then(|looks| looks.get(b"N"));
        let (Ok(normal), Ok(place)) = (normal, annotation.get(b"Rect")) else { return Ok(None) };
        if flags & UNSEEN != 0 {
            return Ok(None);
        }
        let mut looks = Dictionary::new();
        looks.set("N", self.object(normal, 0)?);
        let mut look = Dictionary::new();
        look.set("Type", Object::Name(b"Annot".to_vec()));
        look.set("Subtype", Object::Name(b"Stamp".to_vec()));
        look.set("Rect", self.object(place, 0)?);
        look.set("F", flags & PRINTED);
        look.set("AP", looks);
        if let Ok(state @ Object::Name(_)) = annotation.get_deref(b"AS", self.old) {
            look.set("AS", state.clone());
        }
        Ok(Some(look))
    }

    fn count(&mut self) -> Result<(), Unclean> {
        self.values += 1;
        if self.values > MAX_VALUES { Err(Unclean::Unreadable) } else { Ok(()) }
    }

    fn object(&mut self, object: &'a Object, depth: usize) -> Result<Object, Unclean> {
        self.count()?;
        if depth > MAX_DEPTH {
            return Err(Unclean::Unreadable);
        }
        Ok(match object {
            Object::Reference(id) => return self.reference(*id),
            Object::Array(values) => {
                Object::Array(values.iter().map(|value| self.object(value, depth + 1)).collect::<Result<_, _>>()?)
            }
            Object::Dictionary(dictionary) if !self.is_drawn(dictionary) => Object::Null,
            Object::Dictionary(dictionary) => Object::Dictionary(self.dictionary(dictionary, depth)?),
            Object::Stream(stream) => Object::Stream(self.stream(stream, depth)?),
            plain => plain.clone(),
        })
    }

    fn reference(&mut self, id: ObjectId) -> Result<Object, Unclean> {
        if let Some(place) = self.places.get(&id) {
            return Ok(Object::Reference(*place));
        }
        let dictionary = match self.old.get_object(id) {
            Err(_) => return Ok(Object::Null), // what is not there is null (section 7.3.10)
            Ok(Object::Dictionary(dictionary)) => Some(dictionary),
            Ok(Object::Stream(stream)) => Some(&stream.dict),
            Ok(_) => None,
        };
        if dictionary.is_some_and(|dictionary| !self.is_drawn(dictionary)) {
            return Ok(Object::Null);
        }
        if self.places.len() == MAX_OBJECTS {
            return Err(Unclean::Unreadable);
        }
        let place = self.new.new_object_id();
        self.places.insert(id, place);
        self.waiting.push(id);
        Ok(Object::Reference(place))
    }

    fn is_drawn(&self, dictionary: &Dictionary) -> bool {
        let is_one_of = |key: &[u8], names: &[&[u8]]| {
            dictionary.get_deref(key, self.old).and_then(Object::as_name).is_ok_and(|name| names.contains(&name))
        };
        // PostScript that was to be sent to a printer is a program.
        let is_program = is_one_of(b"Subtype", &[b"PS", b"XML"]);
        !(is_program || is_one_of(b"Type", &NOT_DRAWN) || is_one_of(b"S", &ACTIONS))
    }

    fn dictionary(&mut self, dictionary: &'a Dictionary, depth: usize) -> Result<Dictionary, Unclean> {
        let mut new = Dictionary::new();
        for (key, value) in dictionary {
            if !LEFT_OUT.contains(&key.as_slice()) {
                new.set(key.clone(), self.object(value, depth + 1)?);
            }
        }
        Ok(new)
    }

    fn stream(&mut self, stream: &'a Stream, depth: usize) -> Result<Stream, Unclean> {
        let mut dictionary = self.dictionary(&stream.dict, depth)?;
        for key in ELSEWHERE {
            dictionary.remove(key);
        }
        let mut filters = Vec::new();
        match stream.dict.get_deref(b"Filter", self.old) {
            Ok(Object::Array(names)) => filters.extend(names.iter().map(|name| self.old.dereference(name))),
            Ok(name) => filters.push(Ok((None, name))),
            Err(_) => {}
        }
        let filters: Result<Vec<&[u8]>, _> =
            filters.into_iter().map(|name| name.and_then(|(_, n)| n.as_name())).collect();
        let filters = filters.map_err(|_| Unclean::Unreadable)?;
        let bare: fn(&[u8]) -> Option<Vec<u8>> = match filters.last() {
            Some(&b"DCTDecode" | &b"DCT") => bare::jpeg,
            Some(&b"JPXDecode") => bare::jpeg_2000,
            _ => return Ok(Stream::new(dictionary, stream.content.clone())),
        };
        // A photo keeps where it was taken in a PDF too.
        let content = if filters.len() == 1 {
            bare(&stream.content)
        } else {
            let outer = filters[..filters.len() - 1].iter().map(|name| Object::Name(name.to_vec())).collect();
            let mut packed = Dictionary::new();
            packed.set("Filter", Object::Array(outer));
            let unpacked = Stream::new(packed, stream.content.clone()).decompressed_content_with_limit(MAX_UNFOLDED);
            bare(&unpacked.map_err(|_| Unclean::Unreadable)?)
        };
        dictionary.set("Filter", Object::Name(filters[filters.len() - 1].to_vec()));
        if let Ok(Object::Array(settings)) = stream.dict.get_deref(b"DecodeParms", self.old) {
            dictionary.remove(b"DecodeParms");
            if let Some(last) = settings.get(filters.len() - 1) {
                dictionary.set("DecodeParms", self.object(last, depth + 1)?);
            }
        }
        Ok(Stream::new(dictionary, content.ok_or(Unclean::Unreadable)?))
    }
}

#[cfg(test)]
mod tests;
