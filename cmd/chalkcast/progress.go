package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// progress draws one line about long work on a terminal, and nothing into a file or a pipe. It belongs to one
// goroutine at a time.
type progress struct {
	w     io.Writer // nil: nobody looks
	drawn time.Time
}

func newProgress(w io.Writer) *progress {
	f, ok := w.(*os.File)
	if !ok {
		return &progress{}
	}
	if info, err := f.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return &progress{}
	}
	return &progress{w: w}
}

// say shows how much of what is done; the end is where done reaches total.
func (p *progress) say(what string, done, total int64) {
	if total > 0 {
		p.draw(done >= total, "%s %d %%", what, 100*done/total)
	}
}

// draw writes the line anew, ten times a second at most, and always the end. Work whose size nobody knows uses it itself.
func (p *progress) draw(end bool, format string, args ...any) {
	now := time.Now()
	if p.w == nil || !end && now.Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn = now
	fmt.Fprintf(p.w, "\r"+format+"\x1b[K", args...)
	if end {
		fmt.Fprintln(p.w)
	}
}
