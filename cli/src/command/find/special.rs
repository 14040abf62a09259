//! `find land` and `find fund`: which arguments they take, and that they take no others.

use super::{FindArguments, pairs};
use crate::command::{fund, land};
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Which of the special questions an argument belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Special {
    Land,
    Fund,
}

impl Special {
    /// The word that asks it.
    fn word(self) -> &'static str {
        match self {
            Self::Land => "land",
            Self::Fund => "fund",
        }
    }
}

impl FindArguments {
    pub(super) fn land(&self) -> Result<land::FindArguments, Failure> {
        self.refuse_special(Some(Special::Land))?;
        self.refuse_others(Special::Land, &["industry", "region", "min_mu", "max_mu"])?;
        let conditions = &self.conditions;
        Ok(land::FindArguments {
            industry: one("industry", &conditions.industry)?,
            min_mu: conditions.min_mu.clone(),
            max_mu: conditions.max_mu.clone(),
            division: one("region", &conditions.region)?,
            screen: self.land.clone(),
        })
    }

    pub(super) fn fund(&self) -> Result<fund::FindArguments, Failure> {
        self.refuse_special(Some(Special::Fund))?;
        self.refuse_others(Special::Fund, &["region"])?;
        let region = one("region", &self.conditions.region)?;
        Ok(fund::FindArguments { screen: self.fund.clone(), region, limit: self.limit })
    }

    /// Refuses arguments of special questions other than this one: silently passed over, they would show too much.
    pub(super) fn refuse_special(&self, asked: Option<Special>) -> Result<(), Failure> {
        let land = self.land.given().map(|name| (name, Special::Land));
        let fund = self.fund.given().map(|name| (name, Special::Fund));
        match land.into_iter().chain(fund).find(|(_, of)| Some(*of) != asked) {
            None => Ok(()),
            Some((name, of)) => {
                let word = of.word();
                Err(Failure::new(
                    ExitCode::Usage,
                    "usage",
                    format!("{name} 只用于 xianmeng find {word}。"),
                    format!("{name} belongs to `xianmeng find {word}`"),
                )
                .fix("加 --help 可看用法。", "add --help to see how it is used"))
            }
        }
    }

    /// The same for conditions that land or funds are not asked for.
    fn refuse_others(&self, asked: Special, known: &[&str]) -> Result<(), Failure> {
        let word = asked.word();
        let query = self.conditions.query(&[]);
        let given = pairs(&query).into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| match name {
            "min_area" => "min_mu",
            "max_area" => "max_mu",
            name => name,
        });
        match given.into_iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let name = name.replace('_', "-");
                Err(Failure::new(
                    ExitCode::Usage,
                    "usage",
                    format!("xianmeng find {word} 不用 --{name}。"),
                    format!("`xianmeng find {word}` takes no --{name}"),
                )
                .fix(
                    "要按词语加条件查找，请另写词语，例如 xianmeng find 工业用地 --kind land_parcel。",
                    "to search by words with conditions, write other words: xianmeng find 工业用地 --kind land_parcel",
                ))
            }
        }
    }
}

/// The only value of an argument that can be repeated elsewhere.
fn one(name: &str, values: &[String]) -> Result<Option<String>, Failure> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value.clone())),
        _ => Err(Failure::new(
            ExitCode::Usage,
            "usage",
            format!("这里 --{name} 只能写一次。"),
            format!("--{name} can be given once here"),
        )
        .fix("请只写一个值。", "name one value")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::ConditionArguments;
    use super::*;

    #[test]
    fn land_and_funds_take_their_own_arguments_and_no_others() {
        let arguments = FindArguments {
            words: vec!["land".into()],
            conditions: ConditionArguments {
                industry: vec!["3841".into()],
                min_mu: Some("400".into()),
                ..ConditionArguments::default()
            },
            ..FindArguments::default()
        };
        let land = arguments.land().expect("these are for land");
        assert_eq!((land.industry.as_deref(), land.min_mu.as_deref()), (Some("3841"), Some("400")));
        assert_eq!(arguments.fund().expect_err("an area is nothing of a fund").code, "usage");
        let kind = ConditionArguments { kind: vec!["fund".into()], ..ConditionArguments::default() };
        let with_kind = FindArguments { conditions: kind, ..FindArguments::default() };
        assert!(with_kind.land().expect_err("no kind").en.contains("--kind"));
        let ticket = FindArguments {
            fund: fund::Screen { ticket: Some("5000万元".into()), ..fund::Screen::default() },
            ..FindArguments::default()
        };
        assert!(ticket.refuse_special(None).is_err() && ticket.land().is_err());
        assert_eq!(ticket.fund().expect("it is for funds").screen.ticket.as_deref(), Some("5000万元"));
        assert!(one("industry", &["38".into(), "39".into()]).is_err());
    }
}
