//! A small grey picture and what is measured on it. It keeps sums over rectangles, so that the mean of any part costs
//! the same.

/// A grey picture of at most [`Grey::SIDE`] pixels a side.
pub(super) struct Grey {
    width: usize,
    height: usize,
    values: Vec<u8>,
    /// `sums[y * (width + 1) + x]` is the sum of all values above and left of it.
    sums: Vec<u32>,
}

/// A part of a picture, in shares of its sides.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
}

impl Frame {
    /// All of it.
    pub(super) const WHOLE: Frame = Frame { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };
}

impl Grey {
    /// The longest side.
    pub(super) const SIDE: usize = 512;

    /// Shrinks grey values of any size by taking means.
    pub(super) fn shrink(luma: &[u8], width: usize, height: usize) -> Grey {
        let longest = width.max(height).max(1);
        let size = |side: usize| {
            if longest <= Grey::SIDE { side.max(1) } else { (side * Grey::SIDE).div_ceil(longest).max(1) }
        };
        let (small_width, small_height) = (size(width), size(height));
        let mut values = Vec::with_capacity(small_width * small_height);
        let mut row = vec![0_u32; small_width];
        for y in 0..small_height {
            let top = y * height / small_height;
            let down = ((y + 1) * height / small_height).max(top + 1) - top;
            row.fill(0);
            for line in luma.chunks_exact(width.max(1)).skip(top).take(down) {
                for (x, sum) in row.iter_mut().enumerate() {
                    let from = x * width / small_width;
                    let to = ((x + 1) * width / small_width).max(from + 1);
                    *sum +=
                        line.get(from..to).unwrap_or(&[]).iter().map(|value| u32::from(*value)).sum::<u32>();
                }
            }
            for (x, sum) in row.iter().enumerate() {
                let from = x * width / small_width;
                let across = ((x + 1) * width / small_width).max(from + 1) - from;
                let count = u32::try_from(across * down).unwrap_or(u32::MAX).max(1);
                values.push(u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX));
            }
        }
        Grey::new(values, small_width, small_height)
    }

    fn new(values: Vec<u8>, width: usize, height: usize) -> Grey {
        let mut sums = Vec::with_capacity((width + 1) * (height + 1));
        sums.resize(width + 1, 0_u32);
        for row in values.chunks_exact(width.max(1)) {
            let above = sums.len() - (width + 1);
            let mut along = 0;
            sums.push(0);
            for (x, value) in row.iter().enumerate() {
                along += u32::from(*value);
                sums.push(along + sums.get(above + x + 1).copied().unwrap_or(0));
            }
        }
        Grey { width, height, values, sums }
    }

    /// The sum of all above and left of a point between pixels.
    fn sum(&self, x: f64, y: f64) -> f64 {
        let (x, y) = (x.clamp(0.0, self.width as f64), y.clamp(0.0, self.height as f64));
        let (left, top) = (x.floor() as usize, y.floor() as usize);
        let (along, down) = (x - left as f64, y - top as f64);
        let at = |x: usize, y: usize| {
            let at = y.min(self.height) * (self.width + 1) + x.min(self.width);
            f64::from(self.sums.get(at).copied().unwrap_or(0))
        };
        let upper = at(left, top) * (1.0 - along) + at(left + 1, top) * along;
        let lower = at(left, top + 1) * (1.0 - along) + at(left + 1, top + 1) * along;
        upper * (1.0 - down) + lower * down
    }

    /// The means of `columns` × `rows` equal parts of a frame, row by row.
    pub(super) fn means(&self, frame: Frame, columns: usize, rows: usize) -> Vec<f64> {
        let (width, height) = (self.width as f64, self.height as f64);
        let x = |column: usize| {
            (frame.left + (frame.right - frame.left) * column as f64 / columns as f64) * width
        };
        let y = |row: usize| (frame.top + (frame.bottom - frame.top) * row as f64 / rows as f64) * height;
        let mut means = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let (left, right, top, bottom) = (x(column), x(column + 1), y(row), y(row + 1));
                let sum = self.sum(right, bottom) - self.sum(left, bottom) - self.sum(right, top)
                    + self.sum(left, top);
                means.push(sum / ((right - left) * (bottom - top)).max(1e-9));
            }
        }
        means
    }

    /// The whole in 16 × 16 values.
    pub(super) fn thumbnail(&self) -> Vec<u8> {
        self.means(Frame::WHOLE, 16, 16)
            .into_iter()
            .map(|mean| mean.round().clamp(0.0, 255.0) as u8)
            .collect()
    }

    /// Standard deviation of the values.
    pub(super) fn contrast(&self) -> u8 {
        let count = self.values.len().max(1) as f64;
        let mean = self.values.iter().map(|value| f64::from(*value)).sum::<f64>() / count;
        let square = self.values.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>() / count;
        square.sqrt().round().clamp(0.0, 127.0) as u8
    }

    /// Variance of the Laplacian in the sharpest tenth of 8 × 8 tiles: a portrait before a soft background is sharp.
    pub(super) fn sharpness(&self) -> u32 {
        const TILES: usize = 8;
        if self.width < TILES * 3 || self.height < TILES * 3 {
            return u32::MAX;
        }
        let mut tiles = [(0.0_f64, 0.0_f64, 0_u32); TILES * TILES];
        let rows: Vec<&[u8]> = self.values.chunks_exact(self.width).collect();
        for (y, three) in rows.windows(3).enumerate() {
            let [above, row, below] = three else { continue };
            for (x, window) in row.windows(3).enumerate() {
                let [left, here, right] = window else { continue };
                let value = |row: &[u8]| f64::from(row.get(x + 1).copied().unwrap_or(0));
                let edge = value(above) + value(below) + f64::from(*left) + f64::from(*right)
                    - 4.0 * f64::from(*here);
                let tile = (y * TILES / self.height) * TILES + x * TILES / self.width;
                if let Some((sum, squares, count)) = tiles.get_mut(tile) {
                    *sum += edge;
                    *squares += edge * edge;
                    *count += 1;
                }
            }
        }
        let variance = |(sum, squares, count): &(f64, f64, u32)| {
            let count = f64::from((*count).max(1));
            squares / count - (sum / count).powi(2)
        };
        let mut variances: Vec<f64> = tiles.iter().map(variance).collect();
        variances.sort_by(f64::total_cmp);
        variances.get(variances.len() * 9 / 10).copied().unwrap_or(0.0).round() as u32
    }

    /// What is left without a border of one colour; `None` when there is hardly one.
    pub(super) fn without_border(&self) -> Option<Frame> {
        const NOISE: u8 = 14;
        let column = |x: usize| -> Vec<u8> {
            self.values.iter().skip(x).step_by(self.width.max(1)).copied().collect()
        };
        let row = |y: usize| -> Vec<u8> {
            self.values.iter().skip(y * self.width).take(self.width).copied().collect()
        };
        let plain = |line: &[u8], colour: u8| line.iter().all(|value| value.abs_diff(colour) <= NOISE);
        let colour = |line: &[u8]| line.get(line.len() / 2).copied().unwrap_or(0);
        let run = |lines: usize, line: &dyn Fn(usize) -> Vec<u8>| {
            let first = colour(&line(0));
            (0..lines * 9 / 20).take_while(|at| plain(&line(*at), first)).count()
        };
        let top = run(self.height, &row);
        let bottom = run(self.height, &|y| row(self.height - 1 - y));
        let left = run(self.width, &column);
        let right = run(self.width, &|x| column(self.width - 1 - x));
        // The last line of a border is mixed with the picture.
        let share = |lines: usize, all: usize| {
            if lines == 0 { 0.0 } else { (lines as f64 + 0.5) / all.max(1) as f64 }
        };
        let frame = Frame {
            left: share(left, self.width),
            top: share(top, self.height),
            right: 1.0 - share(right, self.width),
            bottom: 1.0 - share(bottom, self.height),
        };
        let kept = (frame.right - frame.left) * (frame.bottom - frame.top);
        (kept < 0.97 && kept > 0.2).then_some(frame)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Vec<u8> {
        (0..width * height)
            .map(|at| ((at % width) * 200 / width + (at / width) * 50 / height) as u8)
            .collect()
    }

    #[test]
    fn shrinking_keeps_what_is_where() {
        for (width, height) in [(1_024, 768), (700, 2_000), (512, 512), (40, 30), (3_000, 1), (1, 1)] {
            let grey = Grey::shrink(&ramp(width, height), width, height);
            assert!(grey.width <= Grey::SIDE && grey.height <= Grey::SIDE);
            assert_eq!(grey.values.len(), grey.width * grey.height);
            for (share_x, share_y) in [(0.1, 0.2), (0.5, 0.9), (0.95, 0.5)] {
                let (x, y) =
                    ((share_x * grey.width as f64) as usize, (share_y * grey.height as f64) as usize);
                let value = f64::from(grey.values[y * grey.width + x]);
                let (x, y) = (x as f64 / grey.width as f64, y as f64 / grey.height as f64);
                assert!((value - (x * 200.0 + y * 50.0)).abs() < 8.0, "{width} {height} {value} {x} {y}");
            }
        }
    }

    #[test]
    fn means_are_those_of_the_parts_and_borders_are_found() {
        let grey = Grey::shrink(&ramp(512, 512), 512, 512);
        let means = grey.means(Frame { left: 0.25, top: 0.5, right: 0.75, bottom: 1.0 }, 2, 1);
        assert!((means[0] - 112.5).abs() < 2.0 && (means[1] - 162.5).abs() < 2.0, "{means:?}");
        assert_eq!(grey.without_border(), None);
        let mut framed = vec![0; 512 * 512];
        for (y, row) in framed.chunks_exact_mut(512).enumerate().skip(64).take(384) {
            row.iter_mut().enumerate().for_each(|(x, value)| *value = 60 + ((x * 7 + y * 13) % 190) as u8);
        }
        let frame = Grey::shrink(&framed, 512, 512).without_border().unwrap();
        assert!((frame.top - 0.125).abs() < 0.01 && (frame.bottom - 0.875).abs() < 0.01, "{frame:?}");
        assert!(frame.left.abs() < 0.01 && (frame.right - 1.0).abs() < 0.01);
    }
}
