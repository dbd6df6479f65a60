package media_test

import (
	"math/big"
	"testing"
	"time"

	"chalkcast/media"
)

func TestRescaleRoundsDown(t *testing.T) {
	for _, c := range []struct {
		ticks    media.Ticks
		from, to int
		want     media.Ticks
	}{
		{1, 1000, 90000, 90},
		{90, 90000, 1000, 1},
		{89, 90000, 1000, 0},
		{-1, 90000, 1000, -1},
		{-90, 90000, 1000, -1},
		{1024, 44100, 90000, 2089},
		{0, 1, 1 << 30, 0},
		{1 << 62, 90000, 90000, 1 << 62},
		{1 << 61, 90000, 48000, 1229782938247303441},
	} {
		if got := c.ticks.Rescale(c.from, c.to); got != c.want {
			t.Errorf("%d ticks from %d to %d = %d, want %d", c.ticks, c.from, c.to, got, c.want)
		}
	}
}

func FuzzRescale(f *testing.F) {
	f.Add(int64(1<<40), uint16(44100), uint16(48000))
	f.Fuzz(func(t *testing.T, v int64, from, to uint16) {
		if from == 0 || to == 0 || v > 1<<46 || v < -1<<46 {
			return // outside what a stream can hold
		}
		want := new(big.Int).Mul(big.NewInt(v), big.NewInt(int64(to)))
		want.Div(want, big.NewInt(int64(from))) // Euclidean: rounds down for a positive divisor
		if got := media.Ticks(v).Rescale(int(from), int(to)); int64(got) != want.Int64() {
			t.Errorf("%d from %d to %d = %d, want %d", v, from, to, got, want)
		}
	})
}

func TestTicksAndDurations(t *testing.T) {
	if got := media.TicksOf(1500*time.Millisecond, 90000); got != 135000 {
		t.Errorf("1.5 s at 90 kHz = %d, want 135000", got)
	}
	if got := media.Ticks(1024).Duration(48000); got != 21333333*time.Nanosecond {
		t.Errorf("1024 samples at 48 kHz = %v, want 21.333333ms", got)
	}
}
