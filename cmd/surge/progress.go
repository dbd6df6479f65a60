package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// showProgress draws a line on w until what it returns is called.
func (s *surge) showProgress(ctx context.Context, w io.Writer) (done func()) {
	ctx, stop := context.WithCancel(ctx)
	drawn := make(chan struct{})
	go func() { // ends when done is called
		defer close(drawn)
		for ctx.Err() == nil {
			fmt.Fprintf(w, "\r%s\x1b[K", s.progress(time.Now()))
			rest(ctx, 250*time.Millisecond)
		}
		fmt.Fprint(w, "\r\x1b[K")
	}()
	return func() {
		stop()
		<-drawn
	}
}

const barWidth = 24

// progress is the line: what is going on, how far, and how it goes.
func (s *surge) progress(now time.Time) string {
	p := s.phase.Load()
	full := 0
	if length := p.until.Sub(p.began); length > 0 {
		full = int(min(barWidth*now.Sub(p.began)/length, barWidth))
	}
	s.mu.Lock()
	errors := 0
	for _, n := range s.failures {
		errors += n
	}
	s.mu.Unlock()
	return fmt.Sprintf("%-8s [%s%s] %d/%d watch · %d stalls · part p99 %.0f ms · %d errors",
		p.name, strings.Repeat("█", full), strings.Repeat("·", barWidth-full), s.watching.Load(), s.Viewers,
		s.stalls.Load(), float64(s.delays.percentile(99).Microseconds())/1000, errors)
}
