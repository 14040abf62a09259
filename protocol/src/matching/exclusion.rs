//! The reasons that exclude a pair.

/// Why a pair cannot be, in the order in which reasons are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// Neither gives what the other looks for.
    Need,
    /// It is met, used, withdrawn or otherwise over.
    Closed,
    /// Its last day has passed.
    Expired,
    /// It does not keep the plans of land.
    Plan,
    /// The use of the land does not admit the industry.
    Purpose,
    /// The land is too small.
    Area,
    /// The floor is too small.
    Floor,
    /// The parcel asks for more investment per mu.
    Intensity,
    /// The parcel asks for more output per mu.
    Output,
    /// The parcel asks for more tax per mu.
    Tax,
    /// The amount is below the least ticket.
    TicketBelow,
    /// The amount is above the largest ticket.
    TicketAbove,
    /// There is not so much money.
    Capacity,
    /// The region is ruled out.
    Region,
    /// The quotas of energy or discharge are too small.
    Energy,
}

impl Exclusion {
    /// How many there are.
    pub const COUNT: usize = 15;

    /// All of them.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Need,
        Self::Closed,
        Self::Expired,
        Self::Plan,
        Self::Purpose,
        Self::Area,
        Self::Floor,
        Self::Intensity,
        Self::Output,
        Self::Tax,
        Self::TicketBelow,
        Self::TicketAbove,
        Self::Capacity,
        Self::Region,
        Self::Energy,
    ];

    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Need => "need",
            Self::Closed => "closed",
            Self::Expired => "expired",
            Self::Plan => "plan",
            Self::Purpose => "purpose",
            Self::Area => "area",
            Self::Floor => "floor",
            Self::Intensity => "intensity",
            Self::Output => "output",
            Self::Tax => "tax",
            Self::TicketBelow => "ticket-below",
            Self::TicketAbove => "ticket-above",
            Self::Capacity => "capacity",
            Self::Region => "region",
            Self::Energy => "energy",
        }
    }

    /// When it excludes, in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Need => "供需对不上",
            Self::Closed => "已结束、已用或已撤回",
            Self::Expired => "期限已过",
            Self::Plan => "不符合国土空间规划或“三区三线”",
            Self::Purpose => "土地用途容不下这个行业",
            Self::Area => "用地不够",
            Self::Floor => "建筑面积不够",
            Self::Intensity => "投资强度低于地块要求",
            Self::Output => "亩均产出低于地块要求",
            Self::Tax => "亩均税收低于地块要求",
            Self::TicketBelow => "金额低于单笔下限",
            Self::TicketAbove => "金额高于单笔上限",
            Self::Capacity => "金额超过可投资金或规模",
            Self::Region => "不在限定的区域之内",
            Self::Energy => "能耗或排放指标不够",
        }
    }

    /// The same in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Need => "neither gives what the other looks for",
            Self::Closed => "met, used, withdrawn or over",
            Self::Expired => "its last day has passed",
            Self::Plan => "the territorial plan or the three zones and lines are not kept",
            Self::Purpose => "the use of the land does not admit the industry",
            Self::Area => "too little land",
            Self::Floor => "too little floor",
            Self::Intensity => "investment per mu below what the parcel asks for",
            Self::Output => "output per mu below what the parcel asks for",
            Self::Tax => "tax per mu below what the parcel asks for",
            Self::TicketBelow => "the amount is below the least ticket",
            Self::TicketAbove => "the amount is above the largest ticket",
            Self::Capacity => "the amount is more than there is",
            Self::Region => "outside the only regions that are admitted",
            Self::Energy => "too small a quota of energy or discharge",
        }
    }

    #[inline]
    fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// Reasons that exclude a pair, as a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exclusions(u32);

impl Exclusions {
    /// Whether nothing excludes it.
    #[inline]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The reasons, in their order.
    pub fn iter(self) -> impl Iterator<Item = Exclusion> {
        Exclusion::ALL.into_iter().filter(move |reason| self.0 & reason.bit() != 0)
    }

    /// The first of them.
    #[inline]
    pub fn first(self) -> Option<Exclusion> {
        self.iter().next()
    }

    #[inline]
    pub(super) fn set(&mut self, reason: Exclusion, holds: bool) {
        if holds {
            self.0 |= reason.bit();
        }
    }
}
