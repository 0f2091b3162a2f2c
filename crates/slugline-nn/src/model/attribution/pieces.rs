//! The exact integral along a path on which all layers are straight lines between the places where a
//! unit is switched on or off.

use super::{Attributor, Layers, add};
use crate::layers::Activation;

impl Attributor<'_> {
    /// Adds `∂z/∂s` over all pieces of the path to the gradient.
    ///
    /// On a piece the sums of every layer change evenly, which says where the next unit crosses zero.
    /// What follows from one unit's switching, the change of the next layer's tangents and of the gradient
    /// of the layer before, is one row and one column of weights.
    pub(super) fn over_pieces(&mut self) {
        let hidden = self.layers.sums.len() - 1;
        self.forward(0.0);
        self.layers.tangents[0].copy_from_slice(&self.slope);
        for layer in 0..hidden {
            let relu = self.activations[layer] == Activation::Relu;
            let Layers { sums, tangents, active, .. } = &mut self.layers;
            for ((on, &sum), &tangent) in
                active[layer].iter_mut().zip(&sums[layer]).zip(&tangents[layer])
            {
                *on = !relu || sum > 0.0 || sum == 0.0 && tangent > 0.0;
            }
            if layer + 1 < hidden {
                self.tangents_from(layer);
            }
        }
        for layer in (1..hidden).rev() {
            self.gradient_from(layer);
        }
        let mut share = 0.0;
        // Units of the first layer switch once, those of the second once a piece of the first. Deeper
        // ones are bounded in the same way; the bound stops what rounding might keep going in circles.
        let units: usize = self.layers.sums[..hidden].iter().map(Vec::len).sum();
        let most = units.saturating_mul(units).saturating_add(1);
        for _ in 0..most {
            let (length, crossing) = self.next_crossing(1.0 - share);
            self.go_on(length);
            share += length;
            match crossing {
                Some((layer, unit)) => self.switch(layer, unit),
                None => return,
            }
        }
        self.go_on(1.0 - share);
    }

    /// How far the path goes straight on, at most `rest`, and the unit that crosses zero there.
    fn next_crossing(&self, rest: f64) -> (f64, Option<(usize, usize)>) {
        let mut next = (rest, None);
        let Layers { sums, tangents, active, .. } = &self.layers;
        for layer in 0..sums.len() - 1 {
            if self.activations[layer] != Activation::Relu {
                continue;
            }
            let all = sums[layer].iter().zip(&tangents[layer]).zip(&active[layer]);
            for (unit, ((&sum, &tangent), &on)) in all.enumerate() {
                if on && tangent < 0.0 || !on && tangent > 0.0 {
                    // Rounding may have carried a sum a little past zero.
                    let length = (-sum / tangent).max(0.0);
                    if length < next.0 {
                        next = (length, Some((layer, unit)));
                    }
                }
            }
        }
        next
    }

    /// Moves on by a share of the path and adds what lies on it.
    fn go_on(&mut self, length: f64) {
        let Layers { sums, tangents, gradients, active } = &mut self.layers;
        let hidden = sums.len() - 1;
        for ((sum, &g), &on) in self.gradient.iter_mut().zip(&gradients[0]).zip(&active[0]) {
            if on {
                *sum += length * g;
            }
        }
        for (sums, tangents) in sums[..hidden].iter_mut().zip(&*tangents) {
            for (sum, &tangent) in sums.iter_mut().zip(tangents) {
                *sum += length * tangent;
            }
        }
    }

    /// Switches a unit on or off, where its sum is zero.
    fn switch(&mut self, layer: usize, unit: usize) {
        let hidden = self.layers.sums.len() - 1;
        let Layers { sums, tangents, active, .. } = &mut self.layers;
        sums[layer][unit] = 0.0;
        let on = &mut active[layer][unit];
        *on = !*on;
        let sign = if *on { 1.0 } else { -1.0 };
        if layer + 1 < hidden {
            let p = &self.model.parameters()[layer + 1];
            let row = &p.kernel.as_slice()[unit * p.units..][..p.units];
            let change = sign * tangents[layer][unit];
            add(&mut tangents[layer + 1], change, row);
            for later in layer + 1..hidden - 1 {
                self.tangents_from(later);
            }
        }
        if layer > 0 {
            let Layers { gradients, .. } = &mut self.layers;
            let change = sign * gradients[layer][unit];
            let n = gradients[layer - 1].len();
            let column = &self.transposed[layer - 1][unit * n..][..n];
            add(&mut gradients[layer - 1], change, column);
            for earlier in (1..layer).rev() {
                self.gradient_from(earlier);
            }
        }
    }

    /// Computes the tangents of the layer after `layer`.
    fn tangents_from(&mut self, layer: usize) {
        let p = &self.model.parameters()[layer + 1];
        let Layers { tangents, active, .. } = &mut self.layers;
        let (before, after) = tangents.split_at_mut(layer + 1);
        let out = &mut after[0];
        out.fill(0.0);
        let rows = p.kernel.as_slice().chunks_exact(p.units);
        for ((row, &tangent), &on) in rows.zip(&before[layer]).zip(&active[layer]) {
            if on && tangent != 0.0 {
                add(out, tangent, row);
            }
        }
    }

    /// Computes the gradient of the layer before `layer`.
    fn gradient_from(&mut self, layer: usize) {
        let Layers { gradients, active, .. } = &mut self.layers;
        let (before, after) = gradients.split_at_mut(layer);
        let (out, n) = (&mut before[layer - 1], self.model.parameters()[layer].n_in);
        out.fill(0.0);
        let columns = self.transposed[layer - 1].chunks_exact(n);
        for ((column, &g), &on) in columns.zip(&after[0]).zip(&active[layer]) {
            if on {
                add(out, g, column);
            }
        }
    }
}
