package templates

// Manifest lets a phone keep the school on its home screen (W3C Web Application Manifest). There is no service worker
// beside it, so that nothing can ever show a page of yesterday.
type Manifest struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	ShortName  string `json:"short_name"`
	Lang       string `json:"lang"`
	StartURL   string `json:"start_url"`
	Scope      string `json:"scope"`
	Display    string `json:"display"`
	Background string `json:"background_color"`
	Theme      string `json:"theme_color"`
	Icons      []Icon `json:"icons"`
}

// Icon is a picture of the school for a home screen.
type Icon struct {
	Src     string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose"`
}

// NewManifest returns the manifest of a school by its name; without one it is called Chalkcast.
func NewManifest(school, lang string) Manifest {
	if school == "" {
		school = "Chalkcast"
	}
	icon := func(file, sizes, kind, purpose string) Icon {
		return Icon{Src: StaticURL("icons/" + file), Sizes: sizes, Type: kind, Purpose: purpose}
	}
	return Manifest{
		ID: "/", Name: school, ShortName: firstRunes(school, 12), Lang: lang, StartURL: "/", Scope: "/", Display: "standalone",
		Background: "#fbfaf6", Theme: "#1f4d3f",
		Icons: []Icon{
			icon("icon.svg", "any", "image/svg+xml", "any"),
			icon("icon-192.png", "192x192", "image/png", "any"),
			icon("icon-512.png", "512x512", "image/png", "any"),
			icon("maskable-512.png", "512x512", "image/png", "maskable"),
		},
	}
}
