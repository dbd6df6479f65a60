package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// firefox is a Firefox that is driven by Marionette, its own protocol: messages of JSON over TCP, each behind its length
// (firefox-source-docs.mozilla.org/testing/marionette/Protocol.html).
type firefox struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	id   int
}

// firefoxPrefs ask nobody outside for anything, and let a class begin to play by itself.
const firefoxPrefs = `
user_pref("marionette.port", 0);
user_pref("remote.prefs.recommended", true);
user_pref("media.autoplay.default", 0);
user_pref("media.autoplay.blocking_policy", 0);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("services.settings.server", "");
user_pref("datareporting.policy.dataSubmissionEnabled", false);
`

// openFirefox starts Firefox with an empty profile; it ends with the test.
func (s *school) openFirefox() *firefox {
	s.t.Helper()
	profile := s.t.TempDir()
	if err := os.WriteFile(filepath.Join(profile, "user.js"), []byte(firefoxPrefs), 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("firefox-esr", "--headless", "--marionette", "--no-remote", "--profile", profile)
	cmd.Env = append(os.Environ(), "HOME="+profile, "MOZ_DISABLE_CONTENT_SANDBOX=1") // the tests run as root in CI
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := cmd.Start(); err != nil {
		s.t.Fatalf("start Firefox: %v", err)
	}
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	f := &firefox{t: s.t}
	s.waitUntil("Firefox listens", func() bool {
		port, err := os.ReadFile(filepath.Join(profile, "MarionetteActivePort"))
		if err != nil || len(port) == 0 {
			return false
		}
		f.conn, err = net.Dial("tcp", "127.0.0.1:"+strings.TrimSpace(string(port)))
		return err == nil
	})
	s.t.Cleanup(func() { f.conn.Close() })
	f.in = bufio.NewReader(f.conn)
	if _, err := f.read(); err != nil { // it says who it is
		s.t.Fatal(err)
	}
	f.do("WebDriver:NewSession", map[string]any{})
	return f
}

func (f *firefox) read() (message []byte, err error) {
	if err := f.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	length, err := f.in.ReadString(':')
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil || n > 1<<20 {
		return nil, fmt.Errorf("a message of %q bytes", length)
	}
	message = make([]byte, n)
	_, err = io.ReadFull(f.in, message)
	return message, err
}

// call sends a command and returns its result.
func (f *firefox) call(command string, params any) (result json.RawMessage, err error) {
	f.id++
	sent, err := json.Marshal([]any{0, f.id, command, params})
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(f.conn, "%d:%s", len(sent), sent); err != nil {
		return nil, err
	}
	answer, err := f.read()
	if err != nil {
		return nil, err
	}
	var parts [4]json.RawMessage // 1, id, error, result
	if err := json.Unmarshal(answer, &parts); err != nil {
		return nil, err
	}
	if string(parts[2]) != "null" {
		return nil, errors.New(string(parts[2]))
	}
	return parts[3], nil
}

func (f *firefox) do(command string, params any) {
	f.t.Helper()
	if _, err := f.call(command, params); err != nil {
		f.t.Fatalf("Firefox: %s: %v", command, err)
	}
}

// waitFor waits until a JavaScript expression is true.
func (f *firefox) waitFor(what, expression string) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(pollInterval) {
		result, err := f.call("WebDriver:ExecuteScript", map[string]any{"script": "return Boolean(" + expression + ")", "args": []any{}})
		if err == nil && strings.Contains(string(result), "true") {
			return
		}
		if time.Now().After(deadline) {
			text, _ := f.call("WebDriver:ExecuteScript", map[string]any{"script": "return document.body.innerText.slice(0, 1000)", "args": []any{}})
			f.t.Fatalf("Firefox: waited %v until %s: it did not happen (%v)\n%s", patience, what, err, text)
		}
	}
}

// A student with Firefox signs in, watches, looks back, and is live again.
func TestFirefoxWatches(t *testing.T) {
	t.Parallel()
	s := openSchool(t)
	publish(t, s.publishURL(), -1)
	s.goLive(s.signIn(s.Teacher))
	f := s.openFirefox()
	f.do("WebDriver:Navigate", map[string]any{"url": s.HTTP + "/sign-in"})
	who := s.Students[0]
	f.do("WebDriver:ExecuteScript", map[string]any{
		"script": `document.querySelector("[name=email]").value = arguments[0]; document.querySelector("[name=password]").value = arguments[1]; document.querySelector("form").submit();`,
		"args":   []string{who.Email, who.Password},
	})
	f.waitFor("the first page", `location.pathname === "/" && document.readyState === "complete"`)
	f.do("WebDriver:Navigate", map[string]any{"url": s.HTTP + "/lessons/" + s.LessonID})
	const frames = `document.querySelector("video").getVideoPlaybackQuality().totalVideoFrames`
	f.waitFor("pictures are decoded", frames+" > 50")
	f.waitFor("it is live", isLive)
	f.waitFor("there are ten seconds to go back", hasTenSeconds)
	f.do("WebDriver:ExecuteScript", map[string]any{"script": `document.querySelector("[data-do=back]").click()`, "args": []any{}})
	f.waitFor("it is behind", `document.querySelector("[data-do=live]").classList.contains("is-away")`)
	f.do("WebDriver:ExecuteScript", map[string]any{"script": `document.querySelector("[data-do=live]").click()`, "args": []any{}})
	f.waitFor("it is live again", isLive)
}
