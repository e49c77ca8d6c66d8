//! What a browser is asked whether it plays it (RFC 6381).

use mp4_atom::Codec;

/// The name of a codec with its profile; `None` for what is not recorded here.
pub(super) fn codec(codec: &Codec) -> Option<String> {
    Some(match codec {
        Codec::Avc1(avc) => {
            let of = &avc.avcc;
            format!(
                "avc1.{:02X}{:02X}{:02X}",
                of.avc_profile_indication, of.profile_compatibility, of.avc_level_indication
            )
        }
        Codec::Hvc1(hevc) => {
            // ISO/IEC 14496-15 annex E.3.
            let of = &hevc.hvcc;
            let space = ["", "A", "B", "C"][usize::from(of.general_profile_space & 3)];
            let compatible = u32::from_be_bytes(of.general_profile_compatibility_flags).reverse_bits();
            let tier = if of.general_tier_flag { 'H' } else { 'L' };
            let constraints = of.general_constraint_indicator_flags;
            let used = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let constraints: String = constraints[..used].iter().map(|byte| format!(".{byte:X}")).collect();
            format!("hvc1.{space}{}.{compatible:X}.{tier}{}{constraints}", of.general_profile_idc, of.general_level_idc)
        }
        Codec::Mp4a(_) => "mp4a.40.2".to_owned(),
        _ => return None,
    })
}
