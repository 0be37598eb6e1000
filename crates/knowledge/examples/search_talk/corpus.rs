//! What is said in the measurement: every message follows from its number, so that what must be found is known without
//! asking the store. Words follow Zipf's law, messages are 20 to 140 words long.

/// Words of a language that nobody speaks, the common ones short.
const WORDS: usize = 60_000;

/// Messages of one conversation.
pub(crate) const LENGTH: usize = 20;

/// Numbers that are the same in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.roll() % end as u64) as usize
    }

    fn part(&mut self) -> f64 {
        (self.roll() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

pub(crate) struct Corpus {
    words: Vec<String>,
    pub(crate) messages: usize,
    pub(crate) owners: usize,
}

impl Corpus {
    pub(crate) fn new(messages: usize, owners: usize) -> Corpus {
        Corpus { words: (0..WORDS).map(spell).collect(), messages, owners }
    }

    /// A word by how common it is, from 0 on.
    pub(crate) fn word(&self, rank: usize) -> &str {
        &self.words[rank]
    }

    /// A word as common as those in texts are.
    pub(crate) fn any(&self, dice: &mut Dice) -> &str {
        self.word(rank(dice))
    }

    /// What the message with this number says.
    pub(crate) fn text(&self, number: usize) -> String {
        let mut dice = Dice(number as u64 * 1_000_003);
        let length = 20 + dice.below(120);
        let mut text = String::with_capacity(length * 8);
        for _ in 0..length {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(self.any(&mut dice));
        }
        text
    }

    /// The title of a conversation that begins with it.
    pub(crate) fn title(&self, number: usize) -> String {
        self.text(number).split(' ').take(6).collect::<Vec<_>>().join(" ")
    }

    /// Whose conversation this is.
    pub(crate) const fn owner(&self, conversation: usize) -> usize {
        conversation % self.owners
    }

    /// A message of an owner, by chance.
    pub(crate) fn one_of(&self, owner: usize, dice: &mut Dice) -> usize {
        let own = self.messages / LENGTH / self.owners;
        (dice.below(own) * self.owners + owner) * LENGTH + dice.below(LENGTH)
    }

    /// How many messages of an owner hold this phrase of whole words, and those of them that come last by their number.
    pub(crate) fn scan(&self, owner: usize, phrases: &[String]) -> Vec<Vec<usize>> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let conversations = self.messages / LENGTH;
        let of = |thread: usize| {
            let mut found = vec![Vec::new(); phrases.len()];
            for conversation in (thread..conversations).step_by(threads) {
                if self.owner(conversation) != owner {
                    continue;
                }
                for number in conversation * LENGTH..(conversation + 1) * LENGTH {
                    let text = format!(" {} ", self.text(number));
                    for (phrase, found) in phrases.iter().zip(&mut found) {
                        if text.contains(&format!(" {phrase} ")) {
                            found.push(number);
                        }
                    }
                }
            }
            found
        };
        let mut all = vec![Vec::new(); phrases.len()];
        std::thread::scope(|scope| {
            let parts: Vec<_> = (0..threads).map(|thread| scope.spawn(move || of(thread))).collect();
            for part in parts {
                for (all, found) in all.iter_mut().zip(part.join().unwrap()) {
                    all.extend(found);
                }
            }
        });
        all
    }
}

fn spell(mut rank: usize) -> String {
    const PIECES: [&str; 20] = [
        "ka", "re", "to", "mi", "su", "la", "ne", "vo", "pi", "da", "shu", "bre", "ton", "mar", "gel", "fin",
        "rop", "zem", "lus", "win",
    ];
    let mut word = String::new();
    rank += 20;
    while rank > 0 {
        word.push_str(PIECES[rank % 20]);
        rank /= 20;
    }
    word
}

/// A rank by Zipf's law.
fn rank(dice: &mut Dice) -> usize {
    ((WORDS as f64).powf(dice.part()) as usize).min(WORDS) - 1
}
