package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is one that is measured.
type server struct {
	cmd  *exec.Cmd
	load []string // surge's arguments that lead to it
	done chan struct{}
	err  error // how it ended; read after done
}

// anywhere is a process that the kernel may run on every core.
const anywhere = -1

// pinned puts a command on one core, and before others if that is wanted.
func (b *bench) pinned(ctx context.Context, core int, name string, args ...string) *exec.Cmd {
	if core != anywhere {
		name, args = "taskset", append([]string{"-c", strconv.Itoa(core), name}, args...)
	}
	if b.Realtime { // a priority counts within a session only
		name, args = "chrt", append([]string{"--rr", "1", name}, args...)
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	return cmd
}

// start runs a server until stop, and waits until ready.
func (b *bench) start(ctx context.Context, cmd *exec.Cmd, ready func() bool, load ...string) (*server, error) {
	s := &server{cmd: cmd, load: load, done: make(chan struct{})}
	log, err := os.Create(cmd.Dir + ".log")
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { // ends with the process, which stop ends
		s.err = cmd.Wait()
		close(s.done)
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(time.Minute); !ready(); {
		select {
		case <-tick.C:
		case <-s.done:
			said, _ := os.ReadFile(log.Name())
			return nil, fmt.Errorf("%s: %w\n%s", cmd.Path, s.err, said)
		case <-limit:
			s.stop()
			return nil, fmt.Errorf("%s does not begin", cmd.Path)
		case <-ctx.Done():
			s.stop()
			return nil, ctx.Err()
		}
	}
	return s, nil
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-s.done
}

func listens(ctx context.Context, address string) bool {
	d := net.Dialer{Timeout: time.Second}
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// freeAddresses returns loopback addresses on which nobody listens.
func freeAddresses(ctx context.Context, n int) ([]string, error) {
	var all []string
	for range n {
		var config net.ListenConfig
		l, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all, nil
}

// folder makes one for the next server.
func (b *bench) folder() (string, error) {
	b.runs++
	dir := filepath.Join(b.dir, strconv.Itoa(b.runs))
	return dir, os.Mkdir(dir, 0o700)
}

// ours starts a demo school with so many classes.
func (b *bench) ours(ctx context.Context, core, classes int, profile string) (*server, error) {
	dir, err := b.folder()
	at, err2 := freeAddresses(ctx, 2)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	credentials := filepath.Join(dir, "credentials.json")
	cmd := b.pinned(ctx, core, b.bin("chalkcast"), "demo", "--no-broadcast", "--no-term", "--classes", strconv.Itoa(classes), "--credentials", credentials,
		"--data", filepath.Join(dir, "data"), "--http", at[0], "--rtmp", at[1], "--rtsp", "", "--metrics", "", "--part", profile, "--log-level", "WARN")
	cmd.Dir = dir
	ready := func() bool {
		text, err := os.ReadFile(credentials)
		return err == nil && json.Valid(text) && listens(ctx, at[0])
	}
	s, err := b.start(ctx, cmd, ready, "--credentials", credentials, "--no-page")
	if err != nil {
		return nil, err
	}
	if err := fewStudents(credentials); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// accounts is how many students sign in, each for many viewers: passwords are slow on purpose, and not what is measured.
const accounts = 10

// fewStudents leaves no more than that in a demo's credentials.
func fewStudents(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("credentials: %w", err)
	}
	if students, ok := all["students"].([]any); ok && len(students) > accounts {
		all["students"] = students[:accounts]
	}
	if text, err = json.Marshal(all); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o600)
}

// peerSettings is MediaMTX with RTMP in and LL-HLS out, as it is by default otherwise.
func peerSettings(rtmp, hls string, part time.Duration, record bool) string {
	return fmt.Sprintf(`logLevel: error
rtsp: no
webrtc: no
srt: no
moq: no
rtmpAddress: %s
hlsAddress: %s
hlsAlwaysRemux: yes
hlsSegmentDuration: 2s
hlsPartDuration: %s
pathDefaults:
  record: %t
  recordPath: ./recordings/%%path/%%Y-%%m-%%d_%%H-%%M-%%S-%%f
paths:
  all_others:
`, rtmp, hls, part, record)
}

func (b *bench) peer(ctx context.Context, core int, part time.Duration) (*server, error) {
	dir, err := b.folder()
	at, err2 := freeAddresses(ctx, 2)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "mediamtx.yml")
	if err := os.WriteFile(file, []byte(peerSettings(at[0], at[1], part, b.Record)), 0o600); err != nil {
		return nil, err
	}
	name, err := filepath.Abs(b.Peer)
	if err != nil {
		return nil, err
	}
	cmd := b.pinned(ctx, core, name, file)
	cmd.Dir = dir
	ready := func() bool { return listens(ctx, at[0]) && listens(ctx, at[1]) }
	return b.start(ctx, cmd, ready, "--rtmp", "rtmp://"+at[0]+"/live/s{n}", "--url", "http://"+at[1]+"/live/s{n}/index.m3u8")
}

// nginxSettings serve a folder with one process, so that its figures are nginx's.
func nginxSettings(address, folder string) string {
	return fmt.Sprintf(`daemon off;
master_process off;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    types { application/vnd.apple.mpegurl m3u8; video/mp4 mp4 m4s; }
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server { listen %s; root %s; }
}
`, address, folder)
}

// nginx starts one that serves what ffmpeg makes of the clip: the same segments, as files.
func (b *bench) nginx(ctx context.Context, core, loadCore int) (*server, error) {
	dir, err := b.folder()
	at, err2 := freeAddresses(ctx, 1)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx.conf"), []byte(nginxSettings(at[0], dir)), 0o600); err != nil {
		return nil, err
	}
	playlist := filepath.Join(dir, "live.m3u8")
	feed := b.pinned(ctx, loadCore, "ffmpeg", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", b.clip, "-c", "copy", "-f", "hls", "-hls_time", "2",
		"-hls_list_size", "30", "-hls_segment_type", "fmp4", "-hls_flags", "delete_segments+independent_segments", playlist)
	if err := feed.Start(); err != nil {
		return nil, err
	}
	cmd := b.pinned(ctx, core, "nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	cmd.Dir = dir
	ready := func() bool {
		segments, _ := filepath.Glob(filepath.Join(dir, "*.m4s"))
		return len(segments) > 5 && listens(ctx, at[0])
	}
	s, err := b.start(ctx, cmd, ready, "--url", "http://"+at[0]+"/live.m3u8")
	if err != nil {
		return nil, errors.Join(err, feed.Cancel(), feed.Wait())
	}
	go func() { // ends with nginx
		<-s.done
		_ = feed.Cancel() // it may have ended
		_ = feed.Wait()   // of a signal
	}()
	return s, nil
}

// report is what of surge's report counts here.
type report struct {
	StalledPct float64        `json:"stalled_pct"`
	GaveUp     int            `json:"gave_up"`
	Errors     map[string]int `json:"errors"`
	Fresh      struct {
		Count    uint64  `json:"count"`
		P50, P99 float64 // ms
	} `json:"fresh_ms"`
	Server struct {
		CPUPct    float64 `json:"cpu_pct"`
		PerStream float64 `json:"cpu_ms_per_stream_second"`
		PerViewer float64 `json:"cpu_us_per_viewer_second"`
		RSS       float64 `json:"rss_mb"`
	} `json:"server"`
	Own struct {
		CPUPct float64 `json:"cpu_pct"`
	} `json:"own"`
	Late struct{ P99 float64 } `json:"late_ms"`
}

// problems lists what went wrong, and how often.
func (r *report) problems() string {
	var all []string
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		all = append(all, fmt.Sprintf("%d × %s", r.Errors[kind], kind))
	}
	return cmp.Or(strings.Join(all, ", "), "none")
}

// good reports whether everybody followed live: no more than 0.1 % of the time was spent waiting, and nothing failed.
func (r *report) good() bool { return r.StalledPct <= 0.1 && r.GaveUp == 0 && len(r.Errors) == 0 }

// surge puts load on a server and returns what it found.
func (b *bench) surge(ctx context.Context, s *server, core int, args ...string) (*report, error) {
	args = append(append([]string{
		"--no-progress", "--clip", b.clip, "--json", "-", "--pid", strconv.Itoa(s.cmd.Process.Pid), "--for", b.Measure.String(),
	}, s.load...), args...)
	out, err := b.pinned(ctx, core, b.bin("surge"), args...).Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return nil, fmt.Errorf("surge: %w: %s", err, exit.Stderr)
	}
	if err != nil {
		return nil, fmt.Errorf("surge: %w", err)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		return nil, fmt.Errorf("surge's report: %w", err)
	}
	return &r, nil
}
