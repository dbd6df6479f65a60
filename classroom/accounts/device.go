package accounts

import "strings"

// Names that browsers and systems give themselves, the more special first: everybody says Chrome and Safari.
var (
	browserNames = [][2]string{
		{"Edg", "Edge"},
		{"OPR/", "Opera"},
		{"SamsungBrowser/", "Samsung Internet"},
		{"Firefox/", "Firefox"},
		{"FxiOS/", "Firefox"},
		{"Chrome/", "Chrome"},
		{"CriOS/", "Chrome"},
		{"Safari/", "Safari"},
	}
	systemNames = [][2]string{
		{"Android", "Android"},
		{"iPhone", "iPhone"},
		{"iPad", "iPad"},
		{"Windows", "Windows"},
		{"CrOS", "ChromeOS"},
		{"Macintosh", "Mac"},
		{"Linux", "Linux"},
	}
)

// deviceOf returns as much of a User-Agent as people need to know their own browser again, "Firefox · Windows",
// and no more: no version, no model. It is empty for what is no browser we know.
func deviceOf(agent string) string {
	browser, system := firstIn(agent, browserNames), firstIn(agent, systemNames)
	if browser == "" || system == "" {
		return browser + system
	}
	return browser + " · " + system
}

func firstIn(agent string, names [][2]string) string {
	for _, n := range names {
		if strings.Contains(agent, n[0]) {
			return n[1]
		}
	}
	return ""
}
