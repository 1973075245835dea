package record

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// hintIDs finds in the sources of the provider every id that a refusal, a hint
// or a check can carry: the key of an Errorf without Explained, and what
// Explained, Hint, RefuseOAuth, refuse and the like are given.
func hintIDs(t *testing.T) map[string]string {
	t.Helper()
	// Which argument of a call is the id.
	position := map[string]int{"Explained": 0, "Hint": 0, "RefuseOAuth": 2, "Errorf": 1, "logRefusal": 3, "refuse": 2, "invalidClient": 3, "invalid": 0, "unauthenticated": 0}
	found := map[string]string{}
	for _, dir := range []string{"../../vneid", "../../op", "../../op/login", "../../op/phoneapi", "../../op/queue", "../../op/keyring"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in %s: %v", dir, err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, name, source, 0)
			if err != nil {
				t.Fatal(err)
			}
			explained := map[ast.Node]bool{} // calls whose key is not the id
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name, base := callee(call)
				if name == "Explained" {
					explained[base] = true
				}
				at, known := position[name]
				if !known || at >= len(call.Args) || name == "Errorf" && (explained[n] || isFmt(call)) {
					return true
				}
				if lit, ok := call.Args[at].(*ast.BasicLit); ok && lit.Kind == token.STRING {
					id, err := strconv.Unquote(lit.Value)
					if err != nil {
						t.Fatal(err)
					}
					if id != "" {
						found[id] = set.Position(call.Pos()).String()
					}
				}
				return true
			})
			// What is handed on by a variable has a family name.
			for _, m := range regexp.MustCompile(`"((?:client|request|pkce|code|device_code|grant|refresh|token|prompt_none|hint|citizen|logout|advice)\.[a-z_]+)"`).FindAllStringSubmatch(string(source), -1) {
				found[m[1]] = name
			}
		}
	}
	return found
}

func callee(call *ast.CallExpr) (name string, base ast.Node) {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name, nil
	case *ast.SelectorExpr:
		return f.Sel.Name, f.X
	}
	return "", nil
}

func isFmt(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == "fmt"
}

func TestEveryRefusalHasAHint(t *testing.T) {
	ids := hintIDs(t)
	if len(ids) < 120 {
		t.Fatalf("only %d refusals found in the sources: the search is broken", len(ids))
	}
	for id, where := range ids {
		if hintsByID[id] == nil {
			t.Errorf("%s: the refusal %q has no row in hints.go", where, id)
		}
	}
	for _, always := range []string{"internal", "unavailable", "advice.polling"} { // the last by the recorder itself
		ids[always] = "vneid/trail.go"
	}
	for _, h := range hints {
		if ids[h.ID] == "" {
			t.Errorf("hints.go explains %q, which nobody can be told", h.ID)
		}
	}
}

func TestEveryHintSaysWhatAndWhatToChangeInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	vietnamese := regexp.MustCompile(`[à-ỹÀ-ỸđĐ]`)
	placeholder := regexp.MustCompile(`\{[1-9]\}`)
	for _, h := range hints {
		if seen[h.ID] {
			t.Errorf("%s is there twice", h.ID)
		}
		seen[h.ID] = true
		if h.Reference == "" {
			t.Errorf("%s names no reference", h.ID)
		}
		for _, text := range []Text{h.What, h.Change} {
			if text.Vi == "" || text.En == "" || h.ID != "call_malformed" && !vietnamese.MatchString(text.Vi) || vietnamese.MatchString(strings.NewReplacer("Tải lại", "", "Gửi lại mã", "", "Cập nhật", "", "Đăng nhập trên website", "").Replace(text.En)) {
				t.Errorf("%s: %q, %q", h.ID, text.Vi, text.En)
			}
			for _, s := range []string{text.Vi, text.En} {
				if strings.Count(s, "[") != strings.Count(s, "]") || !strings.HasSuffix(s, ".") && !strings.HasSuffix(s, "{1}") && !strings.HasSuffix(s, "code_challenge.") && !strings.HasSuffix(s, ">.") {
					t.Errorf("%s: %q", h.ID, s)
				}
			}
			if vi, en := placeholder.FindAllString(text.Vi, -1), placeholder.FindAllString(text.En, -1); len(vi) != len(en) {
				t.Errorf("%s: one language tells more than the other: %v, %v", h.ID, vi, en)
			}
		}
	}
}

func TestAHintIsFilledWithItsArguments(t *testing.T) {
	for _, c := range []struct {
		hint   vneid.StepHint
		vi, en string
	}{
		{vneid.StepHint{ID: "redirect_uri_invalid", Args: []string{"http://a/cb/", "http://a/cb", "12", "~slash"}},
			"redirect_uri “http://a/cb/” chưa đăng ký; gần nhất là “http://a/cb”, khác từ ký tự thứ 12: dấu / ở cuối.",
			"redirect_uri “http://a/cb/” is not registered; it differs from “http://a/cb” at character 12: trailing slash."},
		{vneid.StepHint{ID: "redirect_uri_invalid", Args: []string{"http://a/cb/"}},
			"redirect_uri “http://a/cb/” chưa đăng ký.", "redirect_uri “http://a/cb/” is not registered."},
		{vneid.StepHint{ID: "client.unknown", Args: []string{"portal", ""}},
			"Không có client nào tên là “portal”.", "No client is called “portal”."},
		{vneid.StepHint{ID: "code.expired"}, "Mã đã hết hạn … giây trước.", "The code expired … s ago."},
		{vneid.StepHint{ID: "of another version"}, "of another version", "of another version"},
	} {
		got := Explain(&vneid.Record{}, c.hint)
		if got.What != (Text{c.vi, c.en}) {
			t.Errorf("%+v:\n%s\n%s", c.hint, got.What.Vi, got.What.En)
		}
	}
	// A text may hold braces of its own.
	if got := Explain(&vneid.Record{}, vneid.StepHint{ID: "web_login_off"}); !strings.Contains(got.Change.En, `/phones/{cccd} with {"web_login": true}`) {
		t.Errorf("%s", got.Change.En)
	}
}
