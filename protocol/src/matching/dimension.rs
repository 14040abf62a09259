//! The dimensions along which a pair of records is compared.

/// One dimension of a match, in the order in which parts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// How directly one gives what the other looks for.
    Need,
    /// Industry by GB/T 4754.
    Industry,
    /// Where it is and where it is wanted.
    Region,
    /// An amount of money against what can be given.
    Size,
    /// Land and floor area, and what the land asks for.
    Land,
    /// Energy and discharge.
    Energy,
    /// The stage of an enterprise.
    Stage,
    /// Form of money, of tenure, of service.
    Form,
    /// Deadlines, first days, and whether somebody is in talks already.
    Timing,
    /// Words in common.
    Text,
    /// How lately both were brought up to date.
    Freshness,
    /// How much of the others could be judged.
    Completeness,
}

impl Dimension {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Need,
        Self::Industry,
        Self::Region,
        Self::Size,
        Self::Land,
        Self::Energy,
        Self::Stage,
        Self::Form,
        Self::Timing,
        Self::Text,
        Self::Freshness,
        Self::Completeness,
    ];

    /// Its place in [`Self::ALL`].
    #[inline]
    pub fn index(self) -> usize {
        self as usize
    }

    /// The name in rules and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Need => "need",
            Self::Industry => "industry",
            Self::Region => "region",
            Self::Size => "size",
            Self::Land => "land",
            Self::Energy => "energy",
            Self::Stage => "stage",
            Self::Form => "form",
            Self::Timing => "timing",
            Self::Text => "text",
            Self::Freshness => "freshness",
            Self::Completeness => "completeness",
        }
    }

    /// The Chinese name.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Need => "供需",
            Self::Industry => "产业",
            Self::Region => "区域",
            Self::Size => "规模",
            Self::Land => "用地",
            Self::Energy => "能耗排放",
            Self::Stage => "阶段",
            Self::Form => "方式",
            Self::Timing => "时限",
            Self::Text => "文本",
            Self::Freshness => "新近",
            Self::Completeness => "完整",
        }
    }

    /// The dimension of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dimension| dimension.name() == name)
    }

    /// Whether a record can leave it open. Freshness and completeness are always known.
    pub fn can_be_unknown(self) -> bool {
        !matches!(self, Self::Freshness | Self::Completeness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_and_places_are_in_order() {
        for (place, dimension) in Dimension::ALL.into_iter().enumerate() {
            assert_eq!(Dimension::from_name(dimension.name()), Some(dimension));
            assert_eq!(dimension.index(), place);
        }
    }
}
