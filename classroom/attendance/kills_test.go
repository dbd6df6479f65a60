package attendance_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"chalkcast/classroom/attendance"
	"chalkcast/classroom/database"
	"chalkcast/classroom/database/databasetest"
	"chalkcast/media"
)

// victim names the database of a server that this test binary is when it was started again.
const victim = "CHALKCAST_TEST_BEATS"

func TestMain(m *testing.M) {
	if url := os.Getenv(victim); url != "" {
		if err := beVictim(url); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// beVictim records beats that come over HTTP until it is killed. Its first line says where.
func beVictim(url string) error {
	db, err := database.Open(context.Background(), database.Config{URL: url, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	r := attendance.NewRecorder(attendance.RecorderConfig{DB: db, Log: slog.New(slog.DiscardHandler)})
	go func() { _ = r.Run(context.Background()) }() // ends with the process
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		number := func(name string) int64 {
			n, _ := strconv.ParseInt(req.FormValue(name), 10, 64)
			return n
		}
		receipt, err := r.Record(req.Context(), attendance.Arrival{
			Lesson: media.ID(number("lesson")), User: media.ID(number("user")), At: database.At(time.Now()),
			Beat: attendance.Beat{View: "v", N: number("n"), State: attendance.Playing, Held: time.Duration(number("held")) * time.Millisecond},
		})
		if err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(beatReceipt{receipt.N, receipt.Attending.Length().Milliseconds()})
	}))
}

type beatReceipt struct{ N, AttendingMS int64 }

// startVictim returns the address of a new process on the database, and what kills it.
func startVictim(t *testing.T, url string) (address string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), victim+"="+url)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // SIGKILL: nothing in it hears of it
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	return "http://" + strings.TrimSpace(line), kill
}

// TestKills kills the server again and again while a class sends its beats as fast as they are answered: what was
// answered is in the database when the next server begins (FLT-23). CHALKCAST_KILLS says how often; `make kills`.
func TestKills(t *testing.T) {
	rounds := 3
	if n, err := strconv.Atoi(os.Getenv("CHALKCAST_KILLS")); err == nil {
		rounds = n
	}
	run := func(t *testing.T, url string) {
		db, err := database.Open(t.Context(), database.Config{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		s := newSchool(t, db, 100, "live")
		acked := make([]beatReceipt, len(s.students))
		ns := make([]int64, len(s.students))
		for round := range rounds {
			address, kill := startVictim(t, url)
			after := int64(100 + rand.IntN(400)) // beats until the kill
			var answered atomic.Int64
			var wg sync.WaitGroup
			for i, user := range s.students {
				wg.Go(func() {
					for ns[i]++; ; ns[i]++ {
						got, err := postBeat(t.Context(), address, s.lesson, user, ns[i])
						if err != nil {
							return
						}
						acked[i] = got
						if answered.Add(1) == after {
							kill()
						}
					}
				})
			}
			wg.Wait()
			kill()
			lost := 0
			for i, user := range s.students {
				var n int64
				if err := db.Reader().Raw("SELECT COALESCE(MAX(n), -1) FROM views WHERE lesson_id = ? AND user_id = ?", s.lesson, user).Scan(&n).Error; err != nil {
					t.Fatal(err)
				}
				if attending := attendingOf(s.stored(t, user)).Length().Milliseconds(); n < acked[i].N || attending < acked[i].AttendingMS {
					lost++
					t.Errorf("round %d, student %d: beat %d with %d ms was answered; the database has beat %d and %d ms", round, i, acked[i].N, acked[i].AttendingMS, n, attending)
				}
			}
			if rounds > 3 {
				t.Logf("kill %d after %d beats: %d students lost something", round+1, answered.Load(), lost)
			}
		}
	}
	t.Run("sqlite", func(t *testing.T) { run(t, "sqlite:"+t.TempDir()+"/school.db") })
	if databasetest.HasPostgres() {
		t.Run("postgres", func(t *testing.T) { run(t, databasetest.PostgresURL(t)) })
	}
}

func postBeat(ctx context.Context, address string, lesson, user media.ID, n int64) (got beatReceipt, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("%s/?lesson=%d&user=%d&n=%d&held=5000", address, lesson, user, n), nil)
	if err != nil {
		return got, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return got, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return got, fmt.Errorf("answered %d", resp.StatusCode)
	}
	return got, json.NewDecoder(resp.Body).Decode(&got)
}
