package main

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the lines that the guides link to")

// declaredIn maps the names of a file to their lines.
func declaredIn(t *testing.T, file string) map[string]int {
	t.Helper()
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	add := func(name string, n ast.Node) { found[name] = set.Position(n.Pos()).Line }
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			add(n.Name.Name, n)
		case *ast.ValueSpec:
			for _, id := range n.Names {
				add(id.Name, id)
			}
		case *ast.TypeSpec:
			add(n.Name.Name, n)
			if s, ok := n.Type.(*ast.StructType); ok {
				for _, field := range s.Fields.List {
					for _, id := range field.Names {
						add(n.Name.Name+"."+id.Name, id)
					}
				}
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && x.Name == "http" { // http.NewCrossOriginProtection
				add(strings.TrimPrefix(n.Sel.Name, "New"), n)
			}
		}
		return true
	})
	return found
}

var pointer = regexp.MustCompile("\\[?`(rp-example/)?([a-z]+\\.go)`(?:\\]\\([^)]*\\))?: ((?:`[A-Za-z.]+`(?:, )?)+)")

// Documents that name a function name one that is there, and the guides link to
// the line where it begins.
func TestDocumentsPointToWhatIsThere(t *testing.T) {
	files := map[string]map[string]int{}
	checked := 0
	for _, doc := range []string{"README.md", "../docs/guide-federation.vi.md", "../docs/guide-federation.md"} {
		path := filepath.FromSlash(doc)
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) && strings.HasPrefix(doc, "..") {
			continue // copied out of the repository
		}
		if err != nil {
			t.Fatal(err)
		}
		right := pointer.ReplaceAllStringFunc(string(b), func(s string) string {
			m := pointer.FindStringSubmatch(s)
			file := m[2]
			if files[file] == nil {
				files[file] = declaredIn(t, file)
			}
			first := 0
			for _, name := range regexp.MustCompile("[A-Za-z.]+").FindAllString(m[3], -1) {
				line, ok := files[file][name]
				if checked++; !ok {
					t.Errorf("%s: %s has no %s", doc, file, name)
				}
				if first == 0 {
					first = line
				}
			}
			if m[1] == "" {
				return s
			}
			return fmt.Sprintf("[`rp-example/%s`](../rp-example/%s#L%d): %s", file, file, first, m[3])
		})
		if right == string(b) {
			continue
		}
		if !*update {
			t.Errorf("%s links to lines of before; run: go test ./rp-example -run TestDocuments -update", doc)
		} else if err := os.WriteFile(path, []byte(right), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if checked < 100 {
		t.Errorf("only %d references found", checked)
	}
}
