//! Matrices that many products have on their right, packed once.
//!
//! A product packs its right operand as it goes, which for many rows costs little. Decoding has few rows and the same weights in
//! every step: there, reading them piece by piece from where they lie takes longer than the product.

#[cfg(target_arch = "x86_64")]
use crate::bf16;
use crate::matmul::{Matrix, Panels, multiply_packed_into, pack};
use crate::precision::Precision;
use crate::product::Plus;
use std::cell::RefCell;
use std::mem::take;

/// A right operand in the order in which its numbers are multiplied, as exactly as a precision says. Products with it have the
/// bits that they have without packing.
#[derive(Debug)]
pub(crate) struct Packed {
    rows: usize,
    columns: usize,
    precision: Precision,
    numbers: Numbers,
}

#[derive(Debug)]
enum Numbers {
    /// Panels of f32.
    Panels(Panels),
    /// Panels of pairs of bf16, for this unit.
    #[cfg(target_arch = "x86_64")]
    Pairs(bf16::Unit, Vec<bf16::Line>),
}

impl Packed {
    /// Packs `b`.
    pub fn new(b: Matrix<'_>, precision: Precision) -> Packed {
        Packed::in_room(b, precision, &mut Room::default())
    }

    /// Packs `b` for one product, into room that this thread keeps for the next one.
    pub fn once<R>(b: Matrix<'_>, precision: Precision, product: impl FnOnce(&Packed) -> R) -> R {
        thread_local! {
            static ROOM: RefCell<Room> = RefCell::default();
        }
        let mut room = ROOM.take();
        let packed = Packed::in_room(b, precision, &mut room);
        let out = product(&packed);
        match packed.numbers {
            Numbers::Panels(panels) => room.panels = panels,
            #[cfg(target_arch = "x86_64")]
            Numbers::Pairs(_, lines) => room.lines = lines,
        }
        ROOM.set(room);
        out
    }

    fn in_room(b: Matrix<'_>, precision: Precision, room: &mut Room) -> Packed {
        let numbers = match precision {
            Precision::F32 => Numbers::Panels(pack(b, take(&mut room.panels))),
            Precision::Bf16 => in_bf16(b, room),
        };
        Packed { rows: b.rows, columns: b.columns, precision, numbers }
    }

    /// Its rows: the depth of a product.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Its columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How exactly it was taken.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// `c = a · b + plus` on this thread, where `b` is `width` columns from `left` on, which is a multiple of 32.
    ///
    /// # Safety
    /// `a` must lie within its slice and have `self.rows()` columns; `c` and `plus` as for [`crate::matmul::matmul_into`].
    pub unsafe fn multiply_into(
        &self,
        a: Matrix<'_>,
        left: usize,
        width: usize,
        plus: Plus,
        c: *mut f32,
        c_row: usize,
    ) {
        match &self.numbers {
            // SAFETY: passed on to the caller.
            Numbers::Panels(packed) if self.precision == Precision::Bf16 => unsafe {
                // No unit rounds it.
                let rounded = a.rounded();
                let a = Matrix { data: &rounded, ..a };
                multiply_packed_into(a, packed, [self.columns, left, width], plus, c, c_row);
            },
            // SAFETY: passed on to the caller.
            Numbers::Panels(packed) => unsafe {
                multiply_packed_into(a, packed, [self.columns, left, width], plus, c, c_row);
            },
            #[cfg(target_arch = "x86_64")]
            Numbers::Pairs(unit, lines) => {
                let b = bf16::Right::Packed { lines, columns: self.columns, left };
                // SAFETY: the processor has the unit; the rest is passed on to the caller.
                unsafe { bf16::multiply_into(*unit, a, b, width, plus, c, c_row) };
            }
        }
    }
}

/// What was packed before and is no longer needed.
#[derive(Default)]
struct Room {
    panels: Panels,
    #[cfg(target_arch = "x86_64")]
    lines: Vec<bf16::Line>,
}

fn in_bf16(b: Matrix<'_>, room: &mut Room) -> Numbers {
    #[cfg(target_arch = "x86_64")]
    if let Some(unit) = bf16::unit().filter(|_| b.rows > 0) {
        // SAFETY: the processor has the unit.
        return Numbers::Pairs(unit, unsafe { bf16::pack(b, take(&mut room.lines)) });
    }
    let rounded = b.rounded();
    Numbers::Panels(pack(Matrix { data: &rounded, ..b }, take(&mut room.panels)))
}
