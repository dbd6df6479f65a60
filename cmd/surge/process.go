package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used so far.
type usage struct {
	cpu      time.Duration // user and system, all threads
	rssBytes int64
}

// tick is the unit of times in /proc: the kernel reports to programs in hundredths of a second on every machine
// that Go runs on (proc(5), USER_HZ).
const tick = 10 * time.Millisecond

// usageOf reads /proc.
func usageOf(pid int) (usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, fmt.Errorf("read the server's usage: %w", err)
	}
	memory, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return usage{}, fmt.Errorf("read the server's usage: %w", err)
	}
	cpu, err := parseStat(stat)
	return usage{cpu: cpu, rssBytes: parseRSS(memory)}, err
}

// parseStat returns utime + stime. The name of the program, which may hold anything, ends with the last bracket.
func parseStat(stat []byte) (time.Duration, error) {
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return 0, fmt.Errorf("read the server's usage: %d fields", len(fields))
	}
	user, err1 := strconv.ParseInt(fields[11], 10, 64)
	system, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, fmt.Errorf("read the server's usage: %q, %q", fields[11], fields[12])
	}
	return time.Duration(user+system) * tick, nil
}

func parseRSS(status []byte) int64 {
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return n << 10
		}
	}
	return 0
}
