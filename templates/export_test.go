package templates

import (
	"encoding/json"
	"path"
	"strings"
)

// NewPseudo returns a Set whose English is the pseudo-locale: every sentence is accented and two fifths longer, with
// brackets at its ends. What is not bracketed on a page is not in the catalogues; what does not fit would not fit in
// other languages.
func NewPseudo() (*Set, error) {
	return newSet(func(name string) ([]byte, error) {
		b, err := localeFiles.ReadFile(name)
		if err != nil || path.Base(path.Dir(name)) != "en" {
			return b, err
		}
		var catalogue map[string]any
		if err := json.Unmarshal(b, &catalogue); err != nil {
			return nil, err
		}
		for key, text := range catalogue {
			switch text := text.(type) {
			case string:
				catalogue[key] = pseudo(text)
			case map[string]any:
				for form := range text {
					text[form] = pseudo(text[form].(string))
				}
			}
		}
		return json.Marshal(catalogue)
	})
}

var accents = strings.NewReplacer(
	"a", "á", "e", "ë", "i", "ï", "o", "ø", "u", "ü", "c", "ç", "n", "ñ", "s", "š", "y", "ý",
	"A", "Å", "E", "É", "I", "Î", "O", "Ö", "U", "Û", "C", "Ç", "N", "Ñ", "S", "Š", "Y", "Ý",
)

// pseudo lengthens a sentence by repeating the beginnings of its words, so that it breaks where sentences do.
// Placeholders stay as they are.
func pseudo(text string) string {
	var out, words strings.Builder
	for rest := text; rest != ""; {
		before, after, found := strings.Cut(rest, "{{")
		out.WriteString(accents.Replace(before))
		words.WriteString(before + " ")
		if !found {
			break
		}
		inside, after, _ := strings.Cut(after, "}}")
		out.WriteString("{{" + inside + "}}")
		rest = after
	}
	more := len([]rune(words.String())) * 2 / 5
	var padding []string
	for _, word := range strings.Fields(words.String()) {
		if more <= 0 {
			break
		}
		padding = append(padding, accents.Replace(word))
		more -= len([]rune(word)) + 1
	}
	return "⟦" + out.String() + " " + strings.Join(padding, " ") + "⟧"
}
