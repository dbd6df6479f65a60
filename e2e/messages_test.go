package e2e

import (
	"net/http"
	"regexp"
	"testing"
)

// waitsForTeacher looks at not_live_yet: three minutes into the lesson the teacher is still in the preview. The page's clock
// is moved rather than waited for.
func (s *school) waitsForTeacher() {
	s.t.Helper()
	studio := s.openBrowser().openTab()
	studio.before(`const now = performance.now.bind(performance); window.late = 0; performance.now = () => now() + window.late;`)
	studio.signIn(s.Teacher)
	studio.open("/lessons/" + s.LessonID + "/studio")
	studio.waitFor("it is in the preview", `!document.querySelector("[data-word=private]").hidden`)
	eval[int](studio, `window.late = 180_000`)
	studio.waitFor("it says that students wait", `document.querySelector("[data-sentence].is-urgent")?.textContent.includes("students are waiting")`)
	studio.leave()
}

// What is wrong with a stream that is let in is said in the studio while it is so: real encoders with the settings that
// teachers get wrong.
func TestStudioNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	teacher := s.signIn(s.Teacher)
	picture := []string{"-f", "lavfi", "-i", "testsrc2=s=320x180:r=25"}
	encode := []string{"-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p"}
	for _, odd := range []struct {
		name  string
		args  [][]string
		codes []string
	}{
		{"too much, seldom, all around", [][]string{
			{"-re"},
			picture,
			{"-f", "lavfi", "-i", "anoisesrc=r=48000"},
			encode,
			{"-g", "250", "-keyint_min", "250", "-x264-params", "scenecut=0:nal-hrd=cbr:filler=1", "-b:v", "7M", "-minrate", "7M", "-maxrate", "7M", "-bufsize", "7M"},
			{"-c:a", "aac", "-ac", "6"},
		}, []string{"bitrate_high", "audio_channels", "keyframe_long"}},
		{"a thin line, no sound, a clock that jumps", [][]string{
			{"-readrate", "0.7"}, picture, encode, {"-g", "50", "-b:v", "300k", "-bsf:v", "setts=ts=TS+if(gte(N\\,250)\\,7200000\\,0)"},
		}, []string{"audio_missing", "starved", "timestamps_jump"}},
	} {
		t.Run(odd.name, func(t *testing.T) {
			s := s.in(t)
			var args []string
			for _, some := range odd.args {
				args = append(args, some...)
			}
			e := ffmpeg(t, append(args, "-f", "flv", s.publishURL())...)
			for _, code := range odd.codes {
				s.studioSays(teacher, code)
			}
			e.kill()
		})
	}
	t.Run("the key in a wrong place", func(t *testing.T) {
		s := s.in(t)
		e := publish(t, s.RTMP+"/abc/"+s.Teacher.StreamKey, -1)
		s.studioSays(teacher, "path_mistyped")
		s.waitsForTeacher()
		s.goLive(teacher)
		e.kill()
		s.studioSays(teacher, "disconnected")
	})
	t.Run("a key that was revoked", func(t *testing.T) {
		s := s.in(t)
		id := regexp.MustCompile(`^ck_([a-z2-7]{8})_`).FindStringSubmatch(s.Teacher.StreamKey)
		if status, body := teacher.do(http.MethodPost, "/settings/keys/"+id[1]+"/revoke", nil); status != http.StatusOK && status != http.StatusSeeOther {
			t.Fatalf("revoke the key: got %d: %s", status, body)
		}
		if said, ok := publish(t, s.publishURL(), 1).wait(); ok {
			t.Errorf("an encoder with a revoked key was let in; it said %q", said)
		}
		s.studioSays(teacher, "key_revoked")
	})
}
