package captions

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"chalkcast/classroom/fault"
)

// The limits of a file.
const (
	MaxBytes    = 1 << 20
	maxCues     = 20_000
	maxProblems = 20 // are told; nobody mends more at once
)

// Problem is what is wrong with a line, as a catalogue key.
type Problem struct {
	Line int
	Key  string
}

const (
	problemTiming  = "captions.problem.timing"
	problemComma   = "captions.problem.comma"
	problemLength  = "captions.problem.length"
	problemOrder   = "captions.problem.order"
	problemText    = "captions.problem.text"
	problemStray   = "captions.problem.stray"
	problemTooMany = "captions.problem.too_many"
)

// Parse reads a WebVTT file. It returns the file as it is kept: without a byte order mark, with LF at the end of lines;
// how many cues it has; and what is wrong with it, by line. With problems it must not be kept. A file that is not WebVTT at all, or too
// large, is a fault about the field "file".
func Parse(file []byte) (text string, cues int, problems []Problem, err error) {
	if len(file) > MaxBytes {
		return "", 0, nil, fault.TooLarge("captions.too_large").At("file")
	}
	if !utf8.Valid(file) {
		return "", 0, nil, fault.Invalid("captions.not_utf8").At("file")
	}
	text = strings.TrimPrefix(string(file), "\ufeff")
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "\ufffd").Replace(text)
	r := reader{lines: strings.Split(text, "\n")}
	if head, _, _ := strings.Cut(strings.ReplaceAll(r.lines[0], "\t", " "), " "); head != "WEBVTT" {
		return "", 0, nil, fault.Invalid("captions.not_webvtt").At("file")
	}
	r.at = 1
	for r.at < len(r.lines) && len(r.problems) < maxProblems {
		r.block()
	}
	if r.cues == 0 && len(r.problems) == 0 {
		return "", 0, nil, fault.Invalid("captions.no_cues").At("file")
	}
	return text, r.cues, r.problems, nil
}

// reader goes through a file block by block.
type reader struct {
	lines    []string
	at       int
	cues     int
	last     time.Duration // when the cue before began
	problems []Problem
}

func (r *reader) wrong(line int, key string) { r.problems = append(r.problems, Problem{line + 1, key}) }

// block reads what stands up to the next empty line. The first may be more of the header.
func (r *reader) block() {
	from := r.at
	for r.at < len(r.lines) && r.lines[r.at] != "" {
		r.at++
	}
	lines := r.lines[from:r.at]
	r.at++
	if len(lines) == 0 {
		return
	}
	for i, line := range lines[:min(2, len(lines))] {
		if strings.Contains(line, "-->") {
			r.cue(from+i, lines[i:])
			return
		}
	}
	first, _, _ := strings.Cut(lines[0], " ")
	if from > 1 && first != "NOTE" && first != "STYLE" && first != "REGION" {
		r.wrong(from, problemStray)
	}
}

// cue reads a line of times and the text under it.
func (r *reader) cue(at int, lines []string) {
	if r.cues++; r.cues > maxCues {
		r.wrong(at, problemTooMany)
		r.at = len(r.lines)
		return
	}
	start, end, key := times(lines[0])
	switch {
	case key != "":
	case end <= start:
		key = problemLength
	case start < r.last:
		key = problemOrder
	}
	if key != "" {
		r.wrong(at, key)
	}
	r.last = max(r.last, start)
	for i, line := range lines[1:] {
		if strings.Contains(line, "-->") {
			r.wrong(at+1+i, problemText)
			return
		}
	}
}

// times reads "00:01.000 --> 00:02.500 line:0", or says what is wrong with it.
func times(line string) (start, end time.Duration, key string) {
	from, rest, _ := strings.Cut(line, "-->")
	to := strings.Fields(rest)
	if len(to) == 0 {
		return 0, 0, problemTiming
	}
	start, ok := timestamp(strings.TrimSpace(from))
	end, okEnd := timestamp(to[0])
	switch {
	case ok && okEnd:
		return start, end, ""
	case strings.Contains(from+to[0], ","):
		return 0, 0, problemComma
	}
	return 0, 0, problemTiming
}

// timestamp reads hh:mm:ss.ttt; hours are two digits or more and may be left out.
func timestamp(text string) (time.Duration, bool) {
	clock, ms, ok := strings.Cut(text, ".")
	if !ok || len(ms) != 3 {
		return 0, false
	}
	parts := strings.Split(clock, ":")
	if len(parts) == 2 {
		parts = append([]string{"00"}, parts...)
	}
	if len(parts) != 3 || len(parts[0]) < 2 || len(parts[0]) > 4 || len(parts[1]) != 2 || len(parts[2]) != 2 {
		return 0, false
	}
	var n [4]int
	for i, digits := range append(parts, ms) {
		v, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || (i == 1 || i == 2) && v > 59 {
			return 0, false
		}
		n[i] = int(v)
	}
	seconds := (n[0]*60+n[1])*60 + n[2]
	return time.Duration(seconds)*time.Second + time.Duration(n[3])*time.Millisecond, true
}
