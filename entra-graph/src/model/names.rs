/// Finds the position of a wire name; built at compile time, one per model.
///
/// A hash over length and five bytes costs less than comparing with every name in turn, which is
/// what a derived decoder does, and the table is data: no code per property.
pub(crate) struct NameTable {
    wire: &'static [&'static str],
    fields: &'static [&'static str],
    slots: [u8; SLOTS],
}

impl NameTable {
    #[inline]
    pub(crate) const fn new(
        wire: &'static [&'static str],
        fields: &'static [&'static str],
    ) -> Self {
        assert!(wire.len() <= 128, "nulls are kept in 128 bits");
        let mut slots = [EMPTY; SLOTS];
        let mut at = 0;
        while at < wire.len() {
            let mut slot = hash(wire[at].as_bytes());
            while slots[slot] != EMPTY {
                slot = (slot + 1) % SLOTS;
            }
            slots[slot] = at as u8;
            at += 1;
        }
        Self {
            wire,
            fields,
            slots,
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let mut slot = hash(name.as_bytes());
        loop {
            let at = usize::from(self.slots[slot]);
            if at == usize::from(EMPTY) {
                return None;
            }
            if self.wire[at] == name {
                return Some(at);
            }
            slot = (slot + 1) % SLOTS;
        }
    }

    #[inline]
    pub(crate) fn position_of_field(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|name| *name == field)
    }
}

const fn hash(name: &[u8]) -> usize {
    let length = name.len();
    if length == 0 {
        return 0;
    }
    let picked = [
        name[0],
        name[length / 3],
        name[length / 2],
        name[length - 1 - length / 6],
        name[length - 1],
    ];
    let mut hash = length;
    let mut at = 0;
    while at < picked.len() {
        hash = hash * 33 + picked[at] as usize;
        at += 1;
    }
    (hash ^ (hash >> 8)) % SLOTS
}

const SLOTS: usize = 256;
const EMPTY: u8 = u8::MAX;
