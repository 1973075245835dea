// Package house holds no code, only the test that keeps the house in order:
// who may import whom, and the few rules a compiler does not know. Every
// failure prints the reason of its rule.
package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/vneid-sandbox/vneid-sandbox"

// rule is one import rule. dir is the importing package's folder, imported is
// an import path; for a package of ours it is its folder with "./" before it.
type rule struct {
	name     string
	inTests  bool // also for _test.go files
	forbids  func(dir, imported string) bool
	examples [][2]string // {dir, imported} that it must refuse
	reason   string
}

var rules = []rule{
	{
		name: "rp-example stands alone", inTests: true,
		forbids: func(dir, imported string) bool {
			return under(dir, "rp-example") && ours(imported) && !our(imported, "rp-example")
		},
		examples: [][2]string{{"rp-example", "./vneid"}, {"rp-example/x", "./templates"}},
		reason:   "the portal must be copyable as it is, and honest: it sees no more of the provider than any portal does, over HTTP",
	},
	{
		name: "nobody imports rp-example", inTests: true,
		forbids:  func(dir, imported string) bool { return our(imported, "rp-example") && !under(dir, "rp-example") },
		examples: [][2]string{{"sandbox", "./rp-example"}},
		reason:   "a portal is somebody else's program",
	},
	{
		name: "vneid imports the standard library and norm",
		forbids: func(dir, imported string) bool {
			return under(dir, "vneid") && (ours(imported) || !standard(imported) && imported != "golang.org/x/text/unicode/norm" ||
				pkg(imported, "net/http") || pkg(imported, "database/sql") || pkg(imported, "html"))
		},
		examples: [][2]string{{"vneid", "net/http"}, {"vneid", "database/sql"}, {"vneid", "database/sql/driver"}, {"vneid", "html/template"},
			{"vneid", "golang.org/x/crypto/argon2"}, {"vneid", "./storage"}, {"vneid", "golang.org/x/text/cases"}},
		reason: "the domain knows neither HTTP nor SQL nor HTML; slow hashes come behind Hasher, so that it stays readable and fast to test",
	},
	{
		name: "zitadel's op package only in op", inTests: true,
		forbids: func(dir, imported string) bool {
			return pkg(imported, "github.com/zitadel/oidc/v3/pkg/op") && !under(dir, "op")
		},
		examples: [][2]string{{"sandbox", "github.com/zitadel/oidc/v3/pkg/op"}, {"storage", "github.com/zitadel/oidc/v3/pkg/op"}, {"cmd/vneid-sandbox", "github.com/zitadel/oidc/v3/pkg/op"}},
		reason:   "the library is behind one door: what it does wrong is put right in one place",
	},
	{
		name: "the database only in storage", inTests: true,
		forbids: func(dir, imported string) bool {
			portal := under(dir, "rp-example") && pkg(imported, "modernc.org/sqlite") // a program of its own, with a store of its own
			return (pkg(imported, "gorm.io") || pkg(imported, "modernc.org/sqlite")) && !under(dir, "storage") && !portal
		},
		examples: [][2]string{{"op", "gorm.io/gorm"}, {"sandbox", "gorm.io/driver/sqlite"}, {"sandbox", "modernc.org/sqlite"}, {"rp-example", "gorm.io/gorm"}},
		reason:   "storage speaks vneid's types and errors; another database must be able to take its place",
	},
	{
		name: "Chromium's protocol only in exam/chromium", inTests: true,
		forbids:  func(dir, imported string) bool { return pkg(imported, "github.com/chromedp") && dir != "exam/chromium" },
		examples: [][2]string{{"exam", "github.com/chromedp/chromedp"}, {"sandbox", "github.com/chromedp/cdproto/fetch"}},
		reason:   "the library's interface is young; another way to a browser must be able to take its place",
	},
	{
		name: "op does not know the pretend world", inTests: true,
		forbids: func(dir, imported string) bool {
			return under(dir, "op") && (our(imported, "sandbox") || our(imported, "cmd") || our(imported, "exam"))
		},
		examples: [][2]string{{"op", "./sandbox"}, {"op/login", "./sandbox/sms"}},
		reason:   "the provider must not know that its phones and people are fake; they talk HTTP or come behind an interface of vneid",
	},
	{
		name:     "op does not know its database",
		forbids:  func(dir, imported string) bool { return under(dir, "op") && our(imported, "storage") },
		examples: [][2]string{{"op", "./storage"}, {"op/login", "./storage"}},
		reason:   "adapters do not know each other: op works on vneid.Service, sandbox puts the two together",
	},
	{
		name: "the parts of the sandbox do not know op", inTests: true,
		forbids: func(dir, imported string) bool {
			return under(dir, "sandbox") && dir != "sandbox" && our(imported, "op")
		},
		examples: [][2]string{{"sandbox/sms", "./op"}, {"sandbox/phone", "./op/login"}, {"sandbox/people", "./op/password"}},
		reason:   "phone and provider talk HTTP even in one process, so that tracing, faults and real replacements fit; only the composition root knows both",
	},
	{
		name: "the parts of the sandbox do not know storage",
		forbids: func(dir, imported string) bool {
			return under(dir, "sandbox") && dir != "sandbox" && our(imported, "storage")
		},
		examples: [][2]string{{"sandbox/sms", "./storage"}},
		reason:   "they work on vneid.Store; only the composition root chooses a database",
	},
	{
		name: "of op, the sandbox imports op and op/password", inTests: true,
		forbids: func(dir, imported string) bool {
			return dir == "sandbox" && our(imported, "op") && imported != "./op" && imported != "./op/password"
		},
		examples: [][2]string{{"sandbox", "./op/login"}, {"sandbox", "./op/phoneapi"}},
		reason:   "the insides of the provider are its own",
	},
	{
		name: "sandboxtest sees what any test sees", inTests: true,
		forbids: func(dir, imported string) bool {
			return dir == "sandbox/sandboxtest" && ours(imported) && imported != "./sandbox" && !our(imported, dir)
		},
		examples: [][2]string{{"sandbox/sandboxtest", "./vneid"}, {"sandbox/sandboxtest", "./storage"}, {"sandbox/sandboxtest", "./sandbox/people"}},
		reason:   "it starts a sandbox and then talks HTTP to it, so that a test written with it also works against a server elsewhere",
	},
	{
		name: "the doctor looks from outside",
		forbids: func(dir, imported string) bool {
			return under(dir, "sandbox/doctor") && ours(imported) && imported != "./vneid"
		},
		examples: [][2]string{{"sandbox/doctor", "./sandbox"}, {"sandbox/doctor", "./storage"}, {"sandbox/doctor", "./sandbox/api"}},
		reason:   "it finds what a relying party would find, over HTTP; from inside everything fits",
	},
	{
		name: "the exam looks from outside", inTests: true,
		forbids: func(dir, imported string) bool {
			return under(dir, "exam") && ours(imported) && imported != "./vneid" && !our(imported, "exam")
		},
		examples: [][2]string{{"exam", "./sandbox"}, {"exam", "./sandbox/fault"}, {"exam", "./op"}},
		reason:   "it sees of portal and sandbox what HTTP shows: what counts as noticed is data of the API",
	},
	{
		name:     "only tests import sandboxtest",
		forbids:  func(_, imported string) bool { return our(imported, "sandbox/sandboxtest") },
		examples: [][2]string{{"sandbox", "./sandbox/sandboxtest"}, {"cmd/vneid-sandbox", "./sandbox/sandboxtest"}},
		reason:   "it ends tests, signs people in without asking them and makes cheap hashes: nothing for a program",
	},
	{
		name: "only the sandbox, its API and the console know fault", inTests: true,
		forbids: func(dir, imported string) bool {
			return our(imported, "sandbox/fault") && !slices.Contains([]string{"sandbox", "sandbox/api", "sandbox/console", "sandbox/fault"}, dir)
		},
		examples: [][2]string{{"sandbox/phone", "./sandbox/fault"}, {"op", "./sandbox/fault"}, {"templates", "./sandbox/fault"}},
		reason:   "faults are a man in the middle, never an if in honest code; the API and the console arm them",
	},
	{
		name: "only the sandbox and its API know the attacker, and it knows no faults", inTests: true,
		forbids: func(dir, imported string) bool {
			known := slices.Contains([]string{"sandbox", "sandbox/api", "sandbox/attacker"}, dir)
			return our(imported, "sandbox/attacker") && !known || dir == "sandbox/attacker" && our(imported, "sandbox/fault")
		},
		examples: [][2]string{{"sandbox/fault", "./sandbox/attacker"}, {"sandbox/attacker", "./sandbox/fault"}, {"op", "./sandbox/attacker"}},
		reason:   "faults lead to addresses, whoever answers there; no honest code leads to the attacker",
	},
	{
		name: "templates imports nothing of ours",
		forbids: func(dir, imported string) bool {
			return under(dir, "templates") && ours(imported) && !our(imported, "templates")
		},
		examples: [][2]string{{"templates", "./vneid"}, {"templates", "./op/login"}},
		reason:   "a page is drawn from its own view struct, so that every state of it can be shown on canned data",
	},
	{
		name: "storage knows neither op nor HTTP",
		forbids: func(dir, imported string) bool {
			return under(dir, "storage") && (ours(imported) && !our(imported, "vneid") && !our(imported, "storage") || pkg(imported, "net/http"))
		},
		examples: [][2]string{{"storage", "./op"}, {"storage", "net/http"}, {"storage", "./sandbox"}, {"storage/storagetest", "./templates"}},
		reason:   "storage remembers what vneid tells it, and decides nothing",
	},
	{
		name:     "no predictable randomness",
		forbids:  func(_, imported string) bool { return pkg(imported, "math/rand") },
		examples: [][2]string{{"op", "math/rand"}, {"vneid", "math/rand/v2"}},
		reason:   "every random number here may end up as a secret: vneid.Rand",
	},
	{
		name:     "the domain's randomness comes from Rand",
		forbids:  func(dir, imported string) bool { return under(dir, "storage") && pkg(imported, "crypto/rand") },
		examples: [][2]string{{"storage", "crypto/rand"}},
		reason:   "storage invents nothing",
	},
}

func under(dir, root string) bool      { return dir == root || strings.HasPrefix(dir, root+"/") }
func pkg(imported, root string) bool   { return under(imported, root) }
func ours(imported string) bool        { return strings.HasPrefix(imported, "./") }
func our(imported, folder string) bool { return under(imported, "./"+folder) }

// standard reports whether an import path is the standard library's: its
// first element has no dot.
func standard(imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	return !strings.Contains(first, ".")
}

// goFiles lists the Go files of the module by folder.
func goFiles(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		slash, base := filepath.ToSlash(name), d.Name()
		if d.IsDir() {
			_, noModule := os.Stat(filepath.Join(name, "go.mod"))
			if slash != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" || noModule == nil) {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(base, ".go") {
			files[path.Dir(slash)] = append(files[path.Dir(slash)], slash)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files["vneid"]) == 0 {
		t.Fatal("found no vneid: does this test run at the root of the module?")
	}
	return files
}

func parse(t *testing.T, name string, mode parser.Mode) (*token.FileSet, *ast.File) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, filepath.FromSlash(name), nil, mode)
	if err != nil {
		t.Fatal(err)
	}
	return fset, f
}

func importPath(s *ast.ImportSpec) string {
	p, err := strconv.Unquote(s.Path.Value)
	if err != nil {
		return s.Path.Value
	}
	if p == module {
		return "./"
	}
	if rest, ok := strings.CutPrefix(p, module+"/"); ok {
		return "./" + rest
	}
	return p
}

func TestImportsGoInOneDirection(t *testing.T) {
	for dir, names := range goFiles(t) {
		for _, name := range names {
			_, f := parse(t, name, parser.ImportsOnly)
			for _, spec := range f.Imports {
				imported := importPath(spec)
				for _, r := range rules {
					if (r.inTests || !strings.HasSuffix(name, "_test.go")) && r.forbids(dir, imported) {
						t.Errorf("%s imports %s\n\trule: %s\n\treason: %s", name, imported, r.name, r.reason)
					}
				}
			}
		}
	}
}

func TestEveryImportRuleBitesAndLeavesTheHouseStanding(t *testing.T) {
	for _, r := range rules {
		if r.reason == "" || len(r.examples) == 0 {
			t.Errorf("%s: a rule needs a reason and an example", r.name)
		}
		for _, e := range r.examples {
			if !r.forbids(e[0], e[1]) {
				t.Errorf("%s: lets %s import %s", r.name, e[0], e[1])
			}
		}
		for _, e := range [][2]string{
			{"cmd/vneid-sandbox", "./sandbox"}, {"sandbox", "./op"}, {"sandbox", "./op/password"}, {"sandbox", "./storage"}, {"sandbox", "./templates"}, {"sandbox/sandboxtest", "./sandbox"},
			{"sandbox", "./sandbox/sms"}, {"sandbox", "./sandbox/fault"}, {"sandbox/console", "./sandbox/fault"}, {"sandbox/sms", "./vneid"}, {"sandbox/sms", "./templates"},
			{"op", "./vneid"}, {"op", "./templates"}, {"op", "./op/login"}, {"op", "github.com/zitadel/oidc/v3/pkg/op"}, {"op", "net/http"}, {"op/login", "./vneid"},
			{"storage", "./vneid"}, {"storage", "gorm.io/gorm"}, {"storage/storagetest", "./vneid"}, {"vneid", "golang.org/x/text/unicode/norm"}, {"vneid", "net/url"}, {"vneid", "crypto/rand"},
			{"templates", "html/template"}, {"rp-example", "golang.org/x/oauth2"}, {"sandbox", "github.com/zitadel/oidc/v3/pkg/oidc"},
		} {
			if r.forbids(e[0], e[1]) {
				t.Errorf("%s: forbids %s to import %s, which the design wants", r.name, e[0], e[1])
			}
		}
	}
}

// clocks are the places where the machine's time enters: vneid.SystemClock,
// and main of the portal, which knows nothing of vneid.
var clocks = map[string]int{"vneid/clock.go": 1, "rp-example/main.go": 1}

// unclocked are the functions that read the machine's clock or use the one
// HTTP client without limits that everybody shares.
var unclocked = map[string][]string{
	"time":     {"Now", "Since", "Until"},
	"net/http": {"DefaultClient", "DefaultTransport", "DefaultServeMux", "Get", "Head", "Post", "PostForm", "Handle", "HandleFunc", "ListenAndServe"},
}

func TestTimeComesFromTheClockAndNobodySharesAnHTTPClient(t *testing.T) {
	for dir, names := range goFiles(t) {
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") || under(dir, "bench") {
				continue // bench measures the machine and decides nothing
			}
			fset, f := parse(t, name, parser.SkipObjectResolution)
			local := map[string]string{} // name in this file → import path
			for _, spec := range f.Imports {
				p := importPath(spec)
				as := path.Base(p)
				if spec.Name != nil {
					as = spec.Name.Name
				}
				if as == "." && unclocked[p] != nil {
					t.Errorf("%s imports %s with a dot: nobody sees then what it uses", name, p)
				}
				local[as] = p
			}
			used := 0
			ast.Inspect(f, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, ok := sel.X.(*ast.Ident)
				if !ok || !slices.Contains(unclocked[local[x.Name]], sel.Sel.Name) {
					return true
				}
				if used++; x.Name == "time" && used <= clocks[name] {
					return true
				}
				t.Errorf("%s uses %s.%s\n\treason: everything the product decides asks the clock of its world, so that a test can move it; HTTP clients have limits of their own",
					fset.Position(sel.Pos()), x.Name, sel.Sel.Name)
				return true
			})
		}
	}
}

func TestStorageShowsNoGormToOthers(t *testing.T) {
	for _, name := range goFiles(t)["storage"] {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		fset, f := parse(t, name, parser.SkipObjectResolution)
		check := func(what string, n ast.Node) {
			ast.Inspect(n, func(n ast.Node) bool {
				if sel, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "gorm" || x.Name == "sqlite" || x.Name == "clause") {
						t.Errorf("%s: the exported %s names %s.%s\n\treason: another database must be able to take gorm's place", fset.Position(sel.Pos()), what, x.Name, sel.Sel.Name)
					}
				}
				return true
			})
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && (d.Recv == nil || receiverExported(d.Recv)) {
					check("function "+d.Name.Name, d.Type)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					ts, ok := spec.(*ast.TypeSpec)
					if !ok || !ts.Name.IsExported() {
						continue
					}
					st, ok := ts.Type.(*ast.StructType)
					if !ok {
						check("type "+ts.Name.Name, ts.Type)
						continue
					}
					for _, field := range st.Fields.List {
						if len(field.Names) == 0 || slices.ContainsFunc(field.Names, func(n *ast.Ident) bool { return n.IsExported() }) {
							check("type "+ts.Name.Name, field.Type)
						}
					}
				}
			}
		}
	}
}

func receiverExported(recv *ast.FieldList) bool {
	typ := recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func TestPackagesAreNamedAfterWhatTheyAreAndSayWhoTheyAre(t *testing.T) {
	nameless := []string{"util", "utils", "common", "helper", "helpers", "model", "models", "service", "services", "internal", "pkg", "misc", "base", "shared"}
	for dir, names := range goFiles(t) {
		for _, part := range strings.Split(dir, "/") {
			if slices.Contains(nameless, part) {
				t.Errorf("%s: a package called %s says nothing about what it is", dir, part)
			}
		}
		code, comment := false, ""
		for _, name := range names {
			_, f := parse(t, name, parser.PackageClauseOnly|parser.ParseComments)
			if slices.Contains(nameless, strings.TrimSuffix(f.Name.Name, "_test")) {
				t.Errorf("%s: a package called %s says nothing about what it is", name, f.Name.Name)
			}
			if !strings.HasSuffix(name, "_test.go") {
				code = true
				if f.Doc != nil {
					comment += f.Doc.Text()
				}
			}
		}
		if code && len(strings.Fields(comment)) < 8 {
			t.Errorf("%s: no package comment that says who it is, whom it talks to and what it never does", dir)
		}
	}
}

func TestFilesStayReadable(t *testing.T) {
	for dir, names := range goFiles(t) {
		for _, name := range names {
			raw, err := os.ReadFile(filepath.FromSlash(name))
			if err != nil {
				t.Fatal(err)
			}
			lines, most := strings.Count(string(raw), "\n"), 600
			if under(dir, "cmd") && path.Base(name) == "main.go" {
				most = 120
			}
			if lines > most {
				t.Errorf("%s has %d lines, more than %d: somebody has to read it in one go", name, lines, most)
			}
		}
	}
}
