package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeFile is what this project uses of the Compose format; anything else in the file is an error.
type composeFile struct {
	Services map[string]struct {
		Build       string
		Image       string
		Restart     string
		Entrypoint  []string
		Ports       []string
		Environment map[string]string
		Volumes     []string
		Grace       string `yaml:"stop_grace_period"`
		DependsOn   map[string]struct {
			Condition string
		} `yaml:"depends_on"`
		Healthcheck struct {
			Test              []string
			Interval, Timeout string
			StartPeriod       string `yaml:"start_period"`
		}
	}
	Volumes map[string]any
}

func readCompose(t *testing.T) (c composeFile) {
	t.Helper()
	f, err := os.Open("../docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	decoder := yaml.NewDecoder(f)
	decoder.KnownFields(true)
	if err := decoder.Decode(&c); err != nil {
		t.Fatalf("docker-compose.yml: %v", err)
	}
	return c
}

func TestComposeFile(t *testing.T) {
	c := readCompose(t)
	variables := serveVariables(t)
	for name, service := range c.Services {
		if len(service.Healthcheck.Test) == 0 {
			t.Errorf("service %s has no healthcheck", name)
		}
		if service.Build == "" && (!strings.Contains(service.Image, ":") || strings.HasSuffix(service.Image, ":latest")) {
			t.Errorf("service %s: image %q names no version", name, service.Image)
		}
		for variable, value := range service.Environment {
			if secretName.MatchString(variable) && !strings.HasPrefix(value, "${") {
				t.Errorf("service %s: %s has a value in the file", name, variable)
			}
			if secretName.MatchString(variable) && !strings.Contains(value, ":?") {
				t.Errorf("service %s: %s may be forgotten: want ${…:?}", name, variable)
			}
			if strings.HasPrefix(variable, "CHALKCAST_") && !slices.Contains(variables, variable) {
				t.Errorf("service %s sets %s, which is no setting", name, variable)
			}
		}
		for _, mount := range service.Volumes {
			if volume, _, _ := strings.Cut(mount, ":"); !has(c.Volumes, volume) {
				t.Errorf("service %s mounts %s, which is not declared", name, volume)
			}
		}
		for other, how := range service.DependsOn {
			if !has(c.Services, other) || how.Condition != "service_healthy" {
				t.Errorf("service %s depends on %s in state %q", name, other, how.Condition)
			}
		}
	}
}

func has[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

var secretName = regexp.MustCompile(`(?i)(password|secret)`)

var variableInHelp = regexp.MustCompile(`\$(CHALKCAST_[A-Z0-9_]+)`)

// serveVariables are the settings that the program knows, by what they are called in its environment.
func serveVariables(t *testing.T) (names []string) {
	t.Helper()
	for _, m := range variableInHelp.FindAllStringSubmatch(help(t, "serve"), -1) {
		names = append(names, m[1])
	}
	return names
}

func help(t *testing.T, args ...string) string {
	t.Helper()
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(name, append(args, "--help")...).CombinedOutput()
	if err != nil {
		t.Fatalf("chalkcast %s --help: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestDockerfile(t *testing.T) {
	text := readFile(t, "../Dockerfile")
	var stages []string
	user := ""
	for line := range strings.Lines(text) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "FROM":
			stages, user = append(stages, rest), ""
			if image, _, _ := strings.Cut(rest, " "); !strings.Contains(image, ":") || strings.HasSuffix(image, ":latest") {
				t.Errorf("Dockerfile: image %q names no version", image)
			}
		case "USER":
			user = rest
		case "ENV":
			variable, _, _ := strings.Cut(rest, "=")
			if strings.HasPrefix(variable, "CHALKCAST_") && !slices.Contains(serveVariables(t), variable) {
				t.Errorf("Dockerfile sets %s, which is no setting", variable)
			}
		}
	}
	if len(stages) != 2 {
		t.Errorf("Dockerfile: %d stages, want one that builds and one that is shipped", len(stages))
	}
	if user == "" || user == "root" {
		t.Errorf("Dockerfile: the image runs as %q, want a user without rights", user)
	}
	for _, want := range []string{"HEALTHCHECK", "CGO_ENABLED=0", "-tags nomsgpack", "EXPOSE 8080 1935 8554"} {
		if !strings.Contains(text, want) {
			t.Errorf("Dockerfile: lacks %q", want)
		}
	}
	// What .dockerignore lets through is what the build copies: every folder with Go code that the binary needs.
	ignore := readFile(t, "../.dockerignore")
	for _, folder := range []string{"cmd", "media", "ingest", "hls", "storage", "classroom", "templates", "go.mod", "go.sum"} {
		if !strings.Contains(ignore, "!"+folder+"\n") {
			t.Errorf(".dockerignore keeps %s out of the image's build", folder)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// A service file that systemd would refuse is found by systemd itself where it is installed; here, that its
// command is one of ours with settings that exist.
func TestServiceFile(t *testing.T) {
	text := readFile(t, "../deploy/chalkcast.service")
	m := regexp.MustCompile(`(?m)^ExecStart=/usr/local/bin/chalkcast (.*)$`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("chalkcast.service: no ExecStart")
	}
	checkCommand(t, "chalkcast.service", m[1])
	if !strings.Contains(text, "DynamicUser=yes") || !strings.Contains(text, "ProtectSystem=strict") {
		t.Error("chalkcast.service: runs with more rights than it needs")
	}
}

// checkCommand holds a command line of the docs against the program's help.
func checkCommand(t *testing.T, where, command string) {
	t.Helper()
	words := strings.Fields(command)
	verb := words[:1]
	for len(verb) < len(words) && subCommand.MatchString(words[len(verb)]) {
		verb = words[:len(verb)+1]
	}
	text := help(t, verb...)
	for _, word := range words[len(verb):] {
		if name, is := strings.CutPrefix(word, "--"); is {
			name, _, _ = strings.Cut(name, "=")
			if !strings.Contains(text, "--"+name) {
				t.Errorf("%s: chalkcast %s has no flag --%s", where, strings.Join(verb, " "), name)
			}
		}
	}
}

var (
	commandInDocs = regexp.MustCompile("(?m)^    (?:\\$ )?(go run \\./cmd/chalkcast|chalkcast|make) ([a-z].*)$|`(make|chalkcast) ([a-z][^`]*)`")
	linkInDocs    = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	subCommand    = regexp.MustCompile(`^[a-z][a-z-]*$`) // an argument is shown in capitals, or as an address or a file
	targetInMake  = regexp.MustCompile(`(?m)^([a-z]+):`)
)

// What the documents say to type exists, and so does what they link to.
func TestDocuments(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, "../README.md", "../CONTRIBUTING.md", "../CHANGELOG.md", "../SECURITY.md")
	targets := map[string]bool{}
	for _, m := range targetInMake.FindAllStringSubmatch(readFile(t, "../Makefile"), -1) {
		targets[m[1]] = true
	}
	commands := 0
	for _, name := range documents {
		text := readFile(t, name)
		for _, m := range commandInDocs.FindAllStringSubmatch(text, -1) {
			program, rest := m[1]+m[3], m[2]+m[4]
			commands++
			if program != "make" {
				checkCommand(t, name, rest)
			} else if target := strings.Fields(rest)[0]; !targets[target] {
				t.Errorf("%s: make has no target %s", name, target)
			}
		}
		for _, m := range linkInDocs.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", name, m[1])
			}
		}
	}
	if commands < 5 {
		t.Errorf("found only %d commands in the documents: the pattern has gone blind", commands)
	}
}
