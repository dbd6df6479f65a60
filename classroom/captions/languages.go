package captions

// Languages are what a page offers, by the name that each gives itself. Others are as welcome.
var Languages = []struct{ Tag, Name string }{
	{"ar", "العربية"},
	{"bn", "বাংলা"},
	{"de", "Deutsch"},
	{"en", "English"},
	{"es", "Español"},
	{"fil", "Filipino"},
	{"fr", "Français"},
	{"hi", "हिन्दी"},
	{"id", "Bahasa Indonesia"},
	{"it", "Italiano"},
	{"ja", "日本語"},
	{"km", "ខ្មែរ"},
	{"ko", "한국어"},
	{"ms", "Bahasa Melayu"},
	{"my", "မြန်မာ"},
	{"nl", "Nederlands"},
	{"pt", "Português"},
	{"ru", "Русский"},
	{"ta", "தமிழ்"},
	{"th", "ไทย"},
	{"tr", "Türkçe"},
	{"uk", "Українська"},
	{"vi", "Tiếng Việt"},
	{"zh-Hans", "简体中文"},
	{"zh-Hant", "繁體中文"},
}

// Name is how a language is called in a menu.
func Name(tag string) string {
	for _, l := range Languages {
		if l.Tag == tag {
			return l.Name
		}
	}
	return tag
}
