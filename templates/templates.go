// Package templates is every page of the provider and of the sandbox: their
// HTML, style, script and texts in Vietnamese and English.
//
// It is handed one view struct per page and gives back bytes; handlers of op
// and sandbox fill the views. It knows no login, no database and no request,
// imports nothing but the standard library, and never decides anything: what a
// page says about a person was decided before it got here.
//
// Start with views.go (what each page needs and which form fields it posts),
// then html/ (one file per page) and messages/ (all texts).
package templates

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed html/*.html
var htmlFiles embed.FS

// Frame is what every page shares.
type Frame struct {
	Lang      Lang
	SwitchURL string // shows this page in the other language, "" = no switch (answers to a POST)
	HomeURL   string // the header's "back" target, "" = none
	AssetBase string // "" or "/w/abc": prefix of the URLs of assets and of Path
}

// T is the text of key in the page's language; templates write {{.T "key"}}.
func (f Frame) T(key string, args ...any) string { return Text(f.Lang, key, args...) }

// Path is the address of a page of this listener, "/console/sms", in the world
// of the page.
func (f Frame) Path(path string) string { return f.AssetBase + path }

// Asset is the URL of an embedded asset; its name carries the content's hash.
func (f Frame) Asset(name string) (string, error) {
	hashed, ok := assetNames[name]
	if !ok {
		return "", fmt.Errorf("no asset %q", name)
	}
	return f.AssetBase + "/assets/" + hashed, nil
}

// A View is one page with all it shows. The views are passed by value.
type View interface {
	template() string          // name of the page's template
	title() string             // document title, also what a screen reader says first
	frame() Frame              //
	withFrame(Frame) View      // a copy in another frame
	refresh() (seconds string) // reload without script after so many seconds, "" = never
}

func (f Frame) frame() Frame    { return f }
func (f Frame) refresh() string { return "" }

// WithLang is the same view in another frame language. Texts that the caller
// had already localised (errors, labels) stay as they are.
func WithLang(v View, l Lang) View {
	f := v.frame()
	f.Lang = l
	return v.withFrame(f)
}

// page is what the layout around every view's body needs.
type page struct {
	Frame
	Title, Refresh, Name string
	Onward               string      // where the page goes by itself when it is loaded; "" = nowhere
	Styles, Scripts      []string    // besides those of every page
	Console              *consoleBar // nil = a page outside of the console
}

// withAssets are views whose pages need more than every page does.
type withAssets interface {
	assets() (styles, scripts []string)
}

// goesOn are views whose page goes to another address by itself, script or not.
type goesOn interface{ onward() (url string) }

// framing are views that load pages of other sites.
type framing interface{ frameURLs() []string }

var funcs = template.FuncMap{
	"clocktime": clocktime,
	"minutes":   minutes,
	"timestamp": timestamp,
	"isURL":     isURL,
	"qr":        qr,

	"live":        live,
	"copier":      newCopier,
	"phonebadges": newPhoneBadges,
	"stepview":    newStepView,
	"report":      newReport,
}

// sets are the templates of each language.
var sets = map[Lang]*template.Template{Vi: parse(Vi), En: parse(En)}

// What depends on nothing but the language.
var (
	constantText  = regexp.MustCompile(`\{\{\$?\.T "([a-z0-9_.]+)"\}\}`)
	constantAsset = regexp.MustCompile(`\{\{\.Asset "([a-z.]+)"\}\}`)
	ifEnglish     = regexp.MustCompile(`\{\{(-?) ?if eq \$?\.Lang "en"\}\}`)
)

// inPlace puts it into the source of a template: asking for each text while a
// page is made cost half of the page.
func inPlace(source []byte, l Lang) []byte {
	name := func(of *regexp.Regexp, call []byte) string { return string(of.FindSubmatch(call)[1]) }
	source = constantText.ReplaceAllFunc(source, func(call []byte) []byte {
		return []byte(template.HTMLEscapeString(Text(l, name(constantText, call))))
	})
	source = constantAsset.ReplaceAllFunc(source, func(call []byte) []byte {
		hashed, ok := assetNames[name(constantAsset, call)]
		if !ok {
			panic("templates: no asset for " + string(call))
		}
		return []byte("{{with .Frame.AssetBase}}{{.}}{{end}}/assets/" + hashed)
	})
	source = ifEnglish.ReplaceAll(source, []byte(fmt.Sprintf("{{$1 if %v}}", l == En)))
	source = bytes.ReplaceAll(source, []byte("{{.Lang}}"), []byte(l))
	banner := template.HTMLEscapeString(Text(Vi, "frame.banner")) // in either language
	return bytes.ReplaceAll(source, []byte("{{.Banner}}"), []byte(banner))
}

func parse(l Lang) *template.Template {
	set := template.New("").Funcs(funcs)
	files, err := htmlFiles.ReadDir("html")
	if err != nil {
		panic(err) // embedded at build time
	}
	for _, f := range files {
		source, err := htmlFiles.ReadFile("html/" + f.Name())
		if err != nil {
			panic(err)
		}
		template.Must(set.New(f.Name()).Parse(string(inPlace(source, l))))
	}
	return set
}

// Render writes the whole page. Nothing is sent while it works, so a failure
// can still become an error page.
func Render(v View) ([]byte, error) {
	if f := v.frame(); f.Lang == "" {
		v = WithLang(v, Vi)
	}
	set := sets[Vi]
	if v.frame().Lang == En {
		set = sets[En]
	}
	var styles, scripts []string
	if more, ok := v.(withAssets); ok {
		styles, scripts = more.assets()
	}
	onward := ""
	if v, ok := v.(goesOn); ok && v.onward() != "" {
		// At once, which browsers take as: once the page is loaded with all its
		// frames. A pause would be a time limit (WCAG 2.2.1).
		onward = "0;url=" + v.onward()
	}
	var bar *consoleBar
	if c, ok := v.(inConsole); ok {
		bar = newConsoleBar(v.frame(), c)
	}
	around := page{
		Onward: onward,
		Styles: styles, Scripts: scripts, Console: bar,
		Frame:   v.frame(),
		Title:   v.title(),
		Refresh: v.refresh(),
		Name:    v.template(),
	}
	var out bytes.Buffer
	out.Grow(8 << 10) // most pages
	for _, part := range []struct {
		template string
		of       any
	}{{"page", around}, {v.template(), v}, {"page-end", around}} {
		if err := set.ExecuteTemplate(&out, part.template, part.of); err != nil {
			return nil, fmt.Errorf("render %s of %s: %w", part.template, v.template(), err)
		}
	}
	return out.Bytes(), nil
}

// CSP is the Content-Security-Policy of these pages. formActions are the
// origins a form may lead to besides our own: Chrome applies form-action along
// redirects too, so the sharing page must name the portal's origin.
func CSP(formActions ...string) string {
	targets := "'self'" + sources(formActions)
	return "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
		"form-action " + targets + "; base-uri 'none'; frame-ancestors 'none'"
}

// CSPOf is the CSP of a view's page: it may load the frames it has, and no
// other.
func CSPOf(v View, formActions ...string) string {
	policy := CSP(formActions...)
	if v, ok := v.(framing); ok {
		var origins []string
		for _, frame := range v.frameURLs() {
			if u, err := url.Parse(frame); err == nil {
				origins = append(origins, u.Scheme+"://"+u.Host)
			}
		}
		slices.Sort(origins)
		if list := sources(slices.Compact(origins)); list != "" {
			policy += "; frame-src" + list
		}
	}
	return policy
}

// sources are origins as a directive lists them.
func sources(origins []string) (list string) {
	for _, origin := range origins {
		// A separator would start another directive.
		if origin != "" && !strings.ContainsAny(origin, " \t\r\n;,'\"") {
			list += " " + origin
		}
	}
	return list
}

// minutes is 125 as "2:05".
func minutes(seconds int) string {
	return fmt.Sprintf("%d:%02d", max(seconds, 0)/60, max(seconds, 0)%60)
}

// clocktime is the time of day of an RFC 3339 time, in its own zone.
func clocktime(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.Format("15:04:05")
}

// timestamp shows an RFC 3339 time the Vietnamese way, in its own zone;
// anything else stays as it is.
func timestamp(s string) string {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return s
	}
	return t.Format("15:04:05 02/01/2006")
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}
