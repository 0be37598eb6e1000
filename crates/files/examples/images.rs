//! How many changed pictures are found again, per change, and how many different ones are taken for the same. There is
//! no set of photos here: the pictures are made up (noise in several octaves, light, shapes, grain), the same for the
//! same seed, and each goes through the whole way from encoded bytes to a report.
//!
//! `cargo run --release -p files --example images -- [PICTURES]`

#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "an example that prints a table of what it computes"
)]

use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::Arc;

use files::clutter::{Advice, Entry, Facts, FindingKind, Limits, Rules, analyse, learn};
use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::{ImageFormat, Rgb, RgbImage};
use kernel::Time;
use uuid::Uuid;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 24) as f32
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}

/// Smooth noise: random values on a grid, and between them what lies between.
struct Noise {
    side: usize,
    values: Vec<f32>,
}

impl Noise {
    fn new(side: usize, random: &mut Random) -> Noise {
        Noise { side, values: (0..(side + 1) * (side + 1)).map(|_| random.between(-1.0, 1.0)).collect() }
    }

    fn at(&self, x: f32, y: f32) -> f32 {
        let (x, y) = (x * self.side as f32, y * self.side as f32);
        let (left, top) = ((x as usize).min(self.side - 1), (y as usize).min(self.side - 1));
        let smooth = |t: f32| t * t * (3.0 - 2.0 * t);
        let (along, down) = (smooth(x - left as f32), smooth(y - top as f32));
        let value = |x: usize, y: usize| self.values[y * (self.side + 1) + x];
        let upper = value(left, top) * (1.0 - along) + value(left + 1, top) * along;
        let lower = value(left, top + 1) * (1.0 - along) + value(left + 1, top + 1) * along;
        upper * (1.0 - down) + lower * down
    }
}

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;

/// A made-up photo.
fn picture(seed: u64) -> RgbImage {
    let mut random = Random(seed.wrapping_mul(0x1234_5678_9abc_def1));
    let octaves: Vec<(Noise, f32)> = [(2, 60.0), (4, 45.0), (9, 30.0), (23, 18.0), (61, 10.0)]
        .into_iter()
        .map(|(side, weight)| (Noise::new(side, &mut random), weight * random.between(0.5, 1.3)))
        .collect();
    let tint: Vec<Noise> = (0..2).map(|_| Noise::new(3, &mut random)).collect();
    let base = [random.between(70.0, 180.0), random.between(70.0, 180.0), random.between(70.0, 180.0)];
    let shapes: Vec<[f32; 6]> = (0..5 + random.next() % 9)
        .map(|_| {
            [
                random.unit(),
                random.unit(),
                random.between(0.03, 0.3),
                random.between(0.03, 0.3),
                random.between(-3.1, 3.1),
                random.between(-90.0, 90.0),
            ]
        })
        .collect();
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let (u, v) = (x as f32 / WIDTH as f32, y as f32 / HEIGHT as f32);
        let mut light: f32 = octaves.iter().map(|(noise, weight)| noise.at(u, v) * weight).sum();
        for [cx, cy, rx, ry, turn, shade] in &shapes {
            let (dx, dy) = (u - cx, v - cy);
            let (along, across) = (dx * turn.cos() + dy * turn.sin(), dy * turn.cos() - dx * turn.sin());
            if (along / rx).powi(2) + (across / ry).powi(2) < 1.0 {
                light += shade;
            }
        }
        light += random.between(-6.0, 6.0);
        let colour = [tint[0].at(u, v) * 35.0, 0.0, tint[1].at(u, v) * 35.0];
        Rgb([0, 1, 2].map(|channel| (base[channel] + light + colour[channel]).clamp(0.0, 255.0) as u8))
    })
}

fn jpeg(image: &RgbImage, quality: u8) -> Outcome<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(image)?;
    Ok(bytes)
}

fn each(image: &RgbImage, change: impl Fn(f32) -> f32) -> RgbImage {
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        Rgb(image.get_pixel(x, y).0.map(|value| change(f32::from(value)).clamp(0.0, 255.0) as u8))
    })
}

/// Takes this share of each side away.
fn crop(image: &RgbImage, share: f32) -> RgbImage {
    let (x, y) = ((image.width() as f32 * share) as u32, (image.height() as f32 * share) as u32);
    imageops::crop_imm(image, x, y, image.width() - 2 * x, image.height() - 2 * y).to_image()
}

fn turn(image: &RgbImage, degrees: f32) -> RgbImage {
    let (sine, cosine) = degrees.to_radians().sin_cos();
    let (cx, cy) = (image.width() as f32 / 2.0, image.height() as f32 / 2.0);
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let (dx, dy) = (x as f32 - cx, y as f32 - cy);
        let (sx, sy) = (cx + dx * cosine + dy * sine, cy - dx * sine + dy * cosine);
        let x = (sx.max(0.0) as u32).min(image.width() - 1);
        *image.get_pixel(x, (sy.max(0.0) as u32).min(image.height() - 1))
    })
}

fn letterbox(image: &RgbImage, share: f32) -> RgbImage {
    let border = (image.height() as f32 * share) as u32;
    let mut framed = RgbImage::new(image.width(), image.height() + 2 * border);
    imageops::replace(&mut framed, image, 0, i64::from(border));
    framed
}

/// A pale band with strokes over a corner, as marks of agencies are.
fn watermark(image: &RgbImage) -> RgbImage {
    let (width, height) = image.dimensions();
    RgbImage::from_fn(width, height, |x, y| {
        let pixel = image.get_pixel(x, y);
        let inside = x > width / 2 && x < width * 19 / 20 && y > height * 4 / 5 && y < height * 9 / 10;
        if inside && (x / 6 + y / 9) % 3 != 0 { Rgb(pixel.0.map(|v| v / 2 + 127)) } else { *pixel }
    })
}

/// A made-up page of documents: the same bars and margins on each, other words.
fn screen(seed: u64) -> RgbImage {
    let mut random = Random(seed.wrapping_mul(0x9876_5432_10fe_dcb1));
    let mut page = RgbImage::from_pixel(1_000, 700, Rgb([255; 3]));
    let mut fill = |x: u32, y: u32, width: u32, height: u32, shade: u8| {
        for (x, y) in
            (x..(x + width).min(1_000)).flat_map(|x| (y..(y + height).min(700)).map(move |y| (x, y)))
        {
            page.put_pixel(x, y, Rgb([shade; 3]));
        }
    };
    fill(0, 0, 1_000, 50, 40);
    fill(0, 50, 200, 650, 235);
    for line in 0..24 {
        fill(20, 70 + line * 26, 60 + random.between(0.0, 90.0) as u32, 10, 90);
    }
    let mut y = 80;
    while y < 680 {
        let heading = random.unit() < 0.12;
        let (height, end) = if heading { (20, 500) } else { (9, 950 - random.between(0.0, 120.0) as u32) };
        let mut x = 230;
        while x < end {
            let width = 8 + random.between(0.0, 60.0) as u32;
            for letter in (x..x + width).step_by(7) {
                fill(letter, y, 3 + (random.next() % 3) as u32, height, 30);
            }
            x += width + 8;
        }
        y += height + 9 + if random.unit() < 0.2 { 22 } else { 0 };
    }
    page
}

type Change = (&'static str, fn(&RgbImage) -> Outcome<Vec<u8>>);

const CHANGES: &[Change] = &[
    ("JPEG quality 30", |image| jpeg(image, 30)),
    ("resize 50 %", |image| {
        jpeg(&imageops::resize(image, image.width() / 2, image.height() / 2, FilterType::Lanczos3), 90)
    }),
    ("resize 25 %, quality 60", |image| {
        jpeg(&imageops::resize(image, image.width() / 4, image.height() / 4, FilterType::Triangle), 60)
    }),
    ("PNG", |image| {
        let mut bytes = Cursor::new(Vec::new());
        image.write_to(&mut bytes, ImageFormat::Png)?;
        Ok(bytes.into_inner())
    }),
    ("WebP of a JPEG of quality 50", |image| {
        let lossy = image::load_from_memory(&jpeg(image, 50)?)?;
        let mut bytes = Cursor::new(Vec::new());
        lossy.write_to(&mut bytes, ImageFormat::WebP)?;
        Ok(bytes.into_inner())
    }),
    ("brightness +25 %", |image| jpeg(&each(image, |value| value * 1.25), 85)),
    ("brightness -25 %", |image| jpeg(&each(image, |value| value * 0.75), 85)),
    ("contrast +30 %", |image| jpeg(&each(image, |value| (value - 128.0) * 1.3 + 128.0), 85)),
    ("grey", |image| {
        let grey = image::DynamicImage::ImageRgb8(image.clone()).into_luma8();
        jpeg(&image::DynamicImage::ImageLuma8(grey).into_rgb8(), 85)
    }),
    ("watermark", |image| jpeg(&watermark(image), 85)),
    ("crop 2 % of each side", |image| jpeg(&crop(image, 0.02), 85)),
    ("crop 5 % of each side", |image| jpeg(&crop(image, 0.05), 85)),
    ("crop 10 % of each side", |image| jpeg(&crop(image, 0.10), 85)),
    ("crop 20 % of each side", |image| jpeg(&crop(image, 0.20), 85)),
    ("turned by 1 degree", |image| jpeg(&turn(image, 1.0), 85)),
    ("turned by 3 degrees", |image| jpeg(&turn(image, 3.0), 85)),
    ("letterbox 16 %", |image| jpeg(&letterbox(image, 0.16), 85)),
    ("mirror", |image| jpeg(&imageops::flip_horizontal(image), 85)),
    ("turned by 90 degrees", |image| jpeg(&imageops::rotate90(image), 85)),
];

fn entry(number: usize, path: String, bytes: &[u8]) -> Outcome<Entry> {
    let facts: Facts = learn(&mut Cursor::new(bytes), &path, &Limits::default())?;
    let file = Entry::file(Uuid::from_u128(number as u128), path, bytes.len() as u64, Time::EPOCH);
    Ok(file.with_facts(Arc::new(facts)))
}

/// Does something for each number by all cores; in order.
fn each_of<T: Send>(count: usize, work: impl Fn(usize) -> Outcome<T> + Sync) -> Outcome<Vec<T>> {
    let threads = std::thread::available_parallelism()?.get();
    let numbers: Vec<usize> = (0..count).collect();
    std::thread::scope(|scope| {
        let work = &work;
        let running: Vec<_> = numbers
            .chunks(count.div_ceil(threads).max(1))
            .map(|part| {
                scope.spawn(move || part.iter().map(|number| work(*number)).collect::<Outcome<Vec<T>>>())
            })
            .collect();
        let mut all = Vec::new();
        for thread in running {
            all.extend(thread.join().map_err(|_| "a thread failed")??);
        }
        Ok(all)
    })
}

/// Pairs of what is kept and what goes, by the number of the picture they were made of.
fn pairs(entries: &[Entry]) -> Vec<(usize, usize)> {
    let mut rules = Rules::new(Time::EPOCH);
    rules.only.insert(FindingKind::SimilarImage);
    let report = analyse(entries, &rules);
    let number = |path: &str| path.rsplit('-').next().and_then(|end| end.parse().ok()).unwrap_or(usize::MAX);
    let mut pairs = Vec::new();
    for finding in &report.findings {
        let kept = finding.members.first().map_or(usize::MAX, |member| number(&member.path));
        let go = finding.members.iter().filter(|member| member.advice == Advice::Go);
        pairs.extend(go.map(|member| (kept, number(&member.path))));
    }
    pairs
}

fn main() -> Outcome<()> {
    let count: usize = std::env::args().nth(1).map_or(Ok(300), |text| text.parse())?;
    let pictures = each_of(count, |number| Ok(picture(number as u64)))?;
    let base =
        each_of(count, |number| entry(number, format!("base-{number}"), &jpeg(&pictures[number], 92)?))?;
    let drawn =
        base.iter().filter_map(|entry| entry.facts.as_ref()?.image.clone()).filter(|f| f.is_screenshot());
    println!("{count} made-up pictures, {} × {}; {} taken for screenshots", WIDTH, HEIGHT, drawn.count());
    println!(
        "false pairs among {} pairs of different ones: {}\n",
        count * (count - 1) / 2,
        pairs(&base).len()
    );
    println!("{:<32}{:>8}{:>13}", "change", "recall", "false pairs");
    let (mut sum, mut wrong) = (0.0, 0);
    for (name, change) in CHANGES {
        let mut entries = base.clone();
        entries.extend(each_of(count, |number| {
            entry(count + number, format!("changed-{number}"), &change(&pictures[number])?)
        })?);
        let found = pairs(&entries);
        let right: BTreeSet<usize> = found.iter().filter(|(a, b)| a == b).map(|(a, _)| *a).collect();
        let others = found.iter().filter(|(a, b)| a != b).count();
        let recall = right.len() as f64 / count as f64;
        println!("{name:<32}{recall:>8.3}{others:>13}");
        sum += recall;
        wrong += others;
    }
    println!("{:<32}{:>8.3}{:>13}", "mean", sum / CHANGES.len() as f64, wrong);
    let png = CHANGES.iter().find(|(name, _)| *name == "PNG").ok_or("no PNG")?.1;
    let screens =
        each_of(count, |number| entry(number, format!("screen-{number}"), &png(&screen(number as u64))?))?;
    let known =
        screens.iter().filter_map(|entry| entry.facts.as_ref()?.image.clone()).filter(|f| f.is_screenshot());
    println!(
        "\n{} of {count} made-up screens are known as such; false pairs: {}",
        known.count(),
        pairs(&screens).len()
    );
    let mut entries = screens.clone();
    entries.extend(each_of(count, |number| {
        let small = imageops::resize(&screen(number as u64), 800, 560, FilterType::Lanczos3);
        entry(count + number, format!("small-{number}"), &png(&small)?)
    })?);
    let found = pairs(&entries);
    let right = found.iter().filter(|(a, b)| a == b).count();
    println!("made smaller: recall {:.3}, false pairs {}", right as f64 / count as f64, found.len() - right);
    Ok(())
}
