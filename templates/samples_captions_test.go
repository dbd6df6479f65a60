package templates_test

import "chalkcast/templates"

func captions() templates.Captions {
	l := class(templates.Closed).Lesson
	p := templates.Captions{Page: page("teacher"), Lesson: l}
	for _, c := range [][2]string{{"en", "English"}, {"ja", "日本語"}, {"zh-Hans", "简体中文"}, {"ar", "العربية"}} {
		p.Languages = append(p.Languages, templates.CaptionLanguage{Tag: c[0], Name: c[1]})
	}
	return p
}

func captionSamples() map[string]any {
	some, wrong, refused := captions(), captions(), captions()
	for i, l := range some.Languages {
		some.Files = append(some.Files, templates.CaptionFile{Lang: l.Tag, Name: l.Name, Cues: 1 + 1111*i, At: now})
	}
	wrong.Files, wrong.Lang = some.Files[:1], "ja"
	wrong.Problems = []templates.ImportProblem{{Line: 3, Text: "The times on this line cannot be read."}, {Line: 1204, Text: "This line begins before the one above it."}}
	refused.Errors = map[string]string{"file": "captions.not_webvtt", "lang": "field.missing", "": "captions.too_many_languages"}
	return map[string]any{"captions": some, "captions-none": captions(), "captions-wrong": wrong, "captions-refused": refused}
}
