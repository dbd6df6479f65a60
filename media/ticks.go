package media

import (
	"math/bits"
	"time"
)

// Ticks is an instant or a length of media time in units of a track's clock.
type Ticks int64

// Rescale converts t from a clock of from ticks per second to one of to ticks per second, rounding towards
// minus infinity. The product is held in 128 bits; a result beyond 63 bits is a bug of the caller and panics.
func (t Ticks) Rescale(from, to int) Ticks {
	if from == to {
		return t
	}
	neg := t < 0
	u := uint64(t)
	if neg {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(to))
	q, r := bits.Div64(hi, lo, uint64(from))
	if neg {
		if r != 0 {
			q++
		}
		return -Ticks(q)
	}
	return Ticks(q)
}

// Duration returns t as wall-clock time, rounded down to the nanosecond.
func (t Ticks) Duration(clock int) time.Duration {
	return time.Duration(t.Rescale(clock, int(time.Second)))
}

// TicksOf returns d in ticks of clock, rounded down.
func TicksOf(d time.Duration, clock int) Ticks {
	return Ticks(d).Rescale(int(time.Second), clock)
}
