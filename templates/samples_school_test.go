package templates_test

import (
	"time"

	"chalkcast/templates"
)

// schoolSamples are the pages by which admins look after the school.
func schoolSamples() map[string]any {
	in := func(here string) templates.Page {
		p := page("admin")
		p.Here = here
		return p
	}
	kept := []templates.Kept{
		{Name: "chat", Days: 90, Min: 1, Max: 3650},
		{Name: "attendance", Days: 400, Min: 30, Max: 3650},
		{Name: "audit", Days: 400, Min: 30, Max: 3650},
		{Name: "access", Days: 30, Min: 1, Max: 30},
	}
	school := templates.School{Page: in("school"), Name: "Queenstown Lakes School", Zone: "Pacific/Auckland", Lang: "en", Kept: kept, Recordings: 180}
	bad := school
	bad.Errors, bad.Data = map[string]string{"zone": "field.zone", "access": "school.bad_days"}, map[string]any{"Min": 1, "Max": 30}
	bad.Recordings = 0
	door := templates.Page{School: "Queenstown Lakes School", Now: now, Here: "privacy"}
	checks := []templates.SelfTestPart{
		{Name: "ports", State: "good"},
		{Name: "data", State: "good"},
		{Name: "database", State: "good"},
		{Name: "storage", State: "bad", Error: "storage: bucket recordings: dial tcp 192.0.2.7:9000: connect: connection refused"},
		{Name: "clock", State: "good"},
		{Name: "tls", State: "good"},
		{Name: "mail", State: "good"},
	}
	running := []templates.SelfTestPart{
		{Name: "ports", State: "good"},
		{Name: "data", State: "good"},
		{Name: "database", State: "running"},
		{Name: "storage", State: "waiting"},
		{Name: "clock", State: "waiting"},
		{Name: "tls", State: "waiting"},
	}
	well := []templates.SelfTestPart{{Name: "ports", State: "good"}, {Name: "clock", State: "good"}}
	lines := []templates.AuditLine{
		{Seq: 1204, At: at("10:12:40"), Who: "Rosalind Adeyemi-Clarke", Action: "register.export", Object: "lesson:7h3k9m2p4q6rs", Detail: `{"file":"xlsx","format":"register.v1","rows":304}`},
		{Seq: 1203, At: at("10:09:00"), Who: "田中 美咲", Action: "register.correct", Object: "lesson:7h3k9m2p4q6rs", Detail: `{"new":"excused","old":"absent","reason":"illness","student":"0000000000007"}`},
		{Seq: 1202, At: at("09:58:11"), Action: "session.fail", Object: "user:0000000000008"},
	}
	tokens := []templates.APIToken{
		{ID: "00000000000000a1", Name: "Timetable sync", Who: "Rosalind Adeyemi-Clarke", Scope: "write", Created: now.AddDate(0, 0, -3), LastUsed: now.Add(-2 * time.Hour), Expires: now.AddDate(0, 0, 87), State: "working"},
		{ID: "00000000000000a2", Name: "Report script", Who: "Rosalind Adeyemi-Clarke", Scope: "read", Created: now.AddDate(0, 0, -3), Expires: now.AddDate(0, 0, 27), State: "revoked"},
		{ID: "00000000000000a3", Name: "An old one", Who: "田中 美咲", Scope: "read", Created: now.AddDate(0, -8, 0), Expires: now.AddDate(0, 0, -7), State: "expired"},
	}
	docs := templates.Manual{
		Page: in(""), Title: "The API of a Chalkcast school", Version: "1", About: "Everything that the pages can do.",
		Groups: []templates.APIGroup{{ID: "lessons", Name: "Lessons", About: "What is taught, and when.", Operations: []templates.APIOperation{{
			ID: "get-lesson", Method: "GET", Path: "/api/v1/lessons/{id}", Summary: "Read a lesson", About: "As who asks sees it.",
			Params:   []templates.APIParam{{Name: "id", In: "path", Type: "string", About: "The lesson.", Required: true}},
			Body:     "{\n  \"title\": string\n}",
			BodyType: "application/json",
			Answers:  []templates.APIAnswer{{Status: "200", About: "The lesson.", Type: "application/json", Schema: "{\n  \"id\": string\n}"}, {Status: "404", About: "Not there, or not yours."}},
		}}}},
	}
	return map[string]any{
		"school":          school,
		"school-wrong":    bad,
		"privacy":         templates.Privacy{Page: in("privacy"), Kept: kept, Recordings: 180},
		"privacy-outside": templates.Privacy{Page: door, Kept: kept},
		"audit":           templates.Audit{Page: in("audit"), Who: "rosalind@school.example", What: "register.", From: "2026-09-01", Actions: []string{"register.", "user.create"}, Lines: lines, More: "before=1202", Query: "what=register."},
		"audit-empty":     templates.Audit{Page: in("audit"), Who: "eve@school.example", About: "user:1", To: "2026-09-03", Error: "audit.nobody_found"},
		"health":          templates.SelfTest{Page: in("health"), Checks: checks, Ran: at("10:12:00")},
		"health-running":  templates.SelfTest{Page: in("health"), Checks: running, Running: true},
		"health-well":     templates.SelfTest{Page: in("health"), Checks: well, Ran: at("10:12:00")},
		"health-never":    templates.SelfTest{Page: in("health")},
		"tokens":          templates.Tokens{Page: in("tokens"), Tokens: tokens, New: "cct_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefg", NewName: "Timetable sync"},
		"tokens-none":     templates.Tokens{Page: in("tokens"), Error: "A token works for 1 to 366 days."},
		"api":             docs,
	}
}
