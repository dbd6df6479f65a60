package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"chalkcast/e2e/conformance"
)

// film is a stream that has something about it that players, or servers, get wrong. It is drawn and encoded into a file
// first, and then sent over and over.
type film struct {
	name    string
	scenes  [][]string // options of ffmpeg for each file; they are sent without a pause between them
	send    []string   // options for the output
	has     heard      // which kinds of media it has
	holes   bool
	breaks  bool // there are discontinuities in it
	settles time.Duration
	long    bool // only where there is time for all
}

// How long a film of one scene is, and a scene of several.
const (
	sceneSeconds = 24
	shotSeconds  = 6
)

var (
	picture  = []string{"-f", "lavfi", "-i", "testsrc2=s=320x180:r=25"}
	sound    = []string{"-f", "lavfi", "-i", "sine=f=330:r=48000"}
	small    = []string{"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", "250k", "-sc_threshold", "0", "-g", "50"}
	spoken   = []string{"-c:a", "aac", "-b:a", "64k"}
	together = join(picture, sound, small, spoken)
	both     = heard{1, 1}
)

func join(lists ...[]string) (all []string) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var films = []film{
	{name: "B-frames", scenes: [][]string{join(picture, sound, small, spoken, []string{"-preset", "veryfast", "-bf", "3"})}, has: both},
	{name: "no audio", long: true, scenes: [][]string{join(picture, small)}, has: heard{pictures: 1}},
	{name: "audio only", scenes: [][]string{join(sound, spoken)}, has: heard{sounds: 1}},
	{name: "8 s GOP", long: true, scenes: [][]string{join(together, []string{"-g", "200"})}, has: both, settles: 8 * time.Second},
	{
		name: "resolution change", long: true, has: both, breaks: true,
		scenes: [][]string{
			together, join([]string{"-f", "lavfi", "-i", "testsrc2=s=640x360:r=25"}, sound, small, spoken),
		},
	},
	{
		name: "5 s gap", long: true, has: both, holes: true, breaks: true,
		scenes: [][]string{join(together, []string{
			"-vf", "select='not(between(mod(t,12),7,11.99))'", "-af", "aselect='not(between(mod(t,12),7,11.99))'", "-fps_mode", "passthrough",
		})},
	},
	{name: "huge first timestamp", scenes: [][]string{together}, send: []string{"-output_ts_offset", "100000"}, has: both},
}

// shoot makes the files of a film. The clock runs on from scene to scene: a jump back would let ffmpeg, which sends at the
// pace of the clock, be silent for as long at the end of every round.
func (f *film) shoot(t *testing.T) (files []string) {
	t.Helper()
	for i, options := range f.scenes {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("%d.ts", i))
		seconds := sceneSeconds
		if len(f.scenes) > 1 {
			seconds = shotSeconds
		}
		args := append([]string{"-v", "error", "-y"}, options...)
		args = append(args, "-t", fmt.Sprint(seconds), "-output_ts_offset", fmt.Sprint(i*seconds))
		if out, err := exec.Command("ffmpeg", append(args, "-f", "mpegts", file)...).CombinedOutput(); err != nil {
			t.Fatalf("draw %s: %v\n%s", f.name, err, out)
		}
		files = append(files, file)
	}
	return files
}

// send publishes a film at real time until the test ends.
func (f *film) publish(t *testing.T, url string) *encoder {
	t.Helper()
	source := "concat:" + strings.Join(f.shoot(t), "|")
	args := []string{"-re", "-stream_loop", "-1", "-i", source, "-c", "copy"}
	return ffmpeg(t, join(args, f.send, []string{"-f", "flv", url})...)
}

// wants is some seconds of a film.
func (f *film) wants(seconds int) heard {
	return heard{f.has.pictures * 25 * seconds, f.has.sounds * 40 * seconds}
}

// Every film, published by teachers of one school at the same time: what comes out keeps the rules and is played.
//
// Three of them are for every day; CHALKCAST_LONG tries all.
func TestFilms(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	films := films
	if os.Getenv("CHALKCAST_LONG") == "" {
		films = slices.DeleteFunc(slices.Clone(films), func(f film) bool { return f.long })
	}
	teachers := s.appoint(len(films))
	urls := make([]string, len(films))
	for i := range films {
		films[i].publish(t, s.RTMP+"/"+teachers[i].key.Text())
	}
	for i := range films {
		s.waitUntil("the preview of "+films[i].name+" can be played", func() bool {
			urls[i] = teachers[i].preview(s.LessonID).URL
			return urls[i] != ""
		})
	}
	var cinema errgroup.Group
	cinema.SetLimit(3) // five players each are what two cores can decode
	for i, f := range films {
		cinema.Go(func() error { s.watchFilm(f, urls[i]); return nil })
	}
	cinema.Wait()
}

// watchFilm may run on any goroutine.
func (s *school) watchFilm(f film, address string) {
	var wg sync.WaitGroup
	wg.Go(func() {
		segments := 3
		if f.settles > 0 {
			segments = 1
		}
		s.inspect(f.name, address, conformance.Config{Segments: segments, Holes: f.holes})
	})
	for _, p := range players {
		wg.Go(func() { s.playOne(p, f.name, address, f.wants(2)) })
	}
	wg.Wait()
}
