//! Questions before a signature.

use crate::confirm::ask;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Goes on only when a person says that the fingerprints were compared: what keeps a stranger out.
pub fn compared(context: &Context, yes: bool) -> Result<(), Failure> {
    let (zh, en) = ("没有确认指纹已经核对。", "nobody confirmed that the fingerprints were compared");
    let refused = || {
        Failure::new(ExitCode::NotAllowed, "not-compared", zh, en)
            .fix("电话核对指纹，一致后加 --yes。", "compare the fingerprint by telephone, then add --yes")
    };
    let question = "指纹已经电话核对一致？Were the fingerprints compared by telephone? [y/N] ";
    if yes || ask(context, question)? { Ok(()) } else { Err(refused()) }
}

/// Goes on only when a person agrees to what was shown.
pub fn agreed(context: &Context, yes: bool) -> Result<(), Failure> {
    if yes || ask(context, "签署吗？Sign it? [y/N] ")? {
        return Ok(());
    }
    let (zh, en) = ("没有确认，什么也没有签。", "nobody agreed, so nothing was signed");
    Err(Failure::new(ExitCode::NotAllowed, "not-confirmed", zh, en)
        .fix("看清内容后加 --yes。", "read what it does, then add --yes"))
}
