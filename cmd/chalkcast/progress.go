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

// say shows how much of what is done. It draws ten times a second at most, and always the end.
func (p *progress) say(what string, done, total int64) {
	now := time.Now()
	if p.w == nil || total <= 0 || done < total && now.Sub(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn = now
	fmt.Fprintf(p.w, "\r%s %d %%\x1b[K", what, 100*done/total)
	if done >= total {
		fmt.Fprintln(p.w)
	}
}
