//! What may happen, and how it is drawn: the steps of a life come from one number alone. A step is a kind and three
//! numbers; who and what they mean is found when the step is taken, by index over what is there at that moment.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Presses a button of the chat.
    Press,
    /// Types a command, a name or nonsense.
    Type,
    /// Takes the trial, known or not.
    Trial,
    /// Orders a plan, for Stars or at QvaPay.
    Order,
    /// Pays an invoice in Stars, perhaps twice at once.
    PayStars,
    /// Pays an order of somebody else, or another amount.
    PayWrongStars,
    /// QvaPay: an invoice is paid, as agreed or otherwise.
    PayQvapay,
    /// QvaPay: a callback, on time or days later, once or several times.
    Callback,
    /// QvaPay: a callback that is forged, or was recorded and comes again.
    ForgedCallback,
    /// Telegram tells of money that fits no order as it should.
    OddStars,
    /// A delivery without the secret, or nonsense with it.
    ForgedUpdate,
    /// A delivery that Telegram brings again.
    Replay,
    /// Presses what was never offered to them.
    ForeignPress,
    /// Blocks the bot, or lets it in again.
    Block,
    /// The admin sends money back.
    Refund,
    /// The admin lets odd money count, or not.
    Review,
    Ban,
    Unban,
    /// Minutes pass.
    Minutes,
    Hours,
    Days,
    /// The clock was wrong and is set back.
    Back,
    /// A VPN server, QvaPay or Telegram fails for a while.
    Trouble,
    /// All of it is over.
    Mend,
    /// Somebody uses the VPN.
    Traffic,
    /// The server stops, is away, and comes back.
    Restart,
    /// Everybody waits until nothing is left to do.
    Calm,
}

/// How often each happens.
const WEIGHTS: &[(Kind, u32)] = &[
    (Kind::Press, 30),
    (Kind::Type, 12),
    (Kind::Trial, 4),
    (Kind::Order, 12),
    (Kind::PayStars, 14),
    (Kind::PayWrongStars, 2),
    (Kind::PayQvapay, 8),
    (Kind::Callback, 7),
    (Kind::ForgedCallback, 4),
    (Kind::OddStars, 2),
    (Kind::ForgedUpdate, 2),
    (Kind::Replay, 3),
    (Kind::ForeignPress, 4),
    (Kind::Block, 3),
    (Kind::Refund, 3),
    (Kind::Review, 4),
    (Kind::Ban, 2),
    (Kind::Unban, 2),
    (Kind::Minutes, 5),
    (Kind::Hours, 3),
    (Kind::Days, 1),
    (Kind::Back, 1),
    (Kind::Trouble, 4),
    (Kind::Mend, 3),
    (Kind::Traffic, 1),
    (Kind::Restart, 1),
    (Kind::Calm, 4),
];

/// One thing that happens. The same numbers are drawn for every kind, so a step does not shift those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub kind: Kind,
    pub who: u32,
    pub pick: u32,
    pub how: u32,
}

impl Step {
    /// Draws one step.
    pub fn draw(rng: &mut StdRng) -> Self {
        let all: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        let mut at = rng.next_u32() % all;
        let chosen = WEIGHTS.iter().find(|(_, weight)| {
            let here = at < *weight;
            at = at.saturating_sub(*weight);
            here
        });
        let (kind, _) = chosen.expect("a number below the sum of the weights");
        Self { kind: *kind, who: rng.next_u32(), pick: rng.next_u32(), how: rng.next_u32() }
    }

    /// One of these, by `pick`.
    pub fn pick_of<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.pick as usize % all.len().max(1))
    }

    /// One of these, by `how`.
    pub fn how_of<'a, T>(&self, all: &'a [T]) -> &'a T {
        &all[self.how as usize % all.len()]
    }

    /// A second opinion from `how`, below `limit`, independent of its remainders by small numbers.
    pub fn dice(&self, limit: u32) -> u32 {
        (self.how >> 16) % limit
    }
}

/// The first `count` steps of a seed.
pub fn plan(seed: u64, count: usize) -> Vec<Step> {
    let mut rng = StdRng::seed_from_u64(seed);
    (0..count).map(|_| Step::draw(&mut rng)).collect()
}

#[test]
fn a_seed_names_one_life_and_a_shorter_one_is_its_beginning() {
    assert_eq!(plan(7, 400), plan(7, 400));
    assert_eq!(plan(7, 400)[..150], plan(7, 150));
    assert_ne!(plan(7, 50), plan(8, 50));
    let (steps, kinds) = (plan(7, 4000), WEIGHTS.iter().map(|(kind, _)| *kind));
    let missing: Vec<Kind> = kinds.filter(|kind| !steps.iter().any(|step| step.kind == *kind)).collect();
    assert!(missing.is_empty(), "never drawn: {missing:?}");
}
