package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Documents that name a function name one that is there, in that file.
func TestDocumentsPointToWhatIsThere(t *testing.T) {
	where := regexp.MustCompile("`(?:rp-example/)?([a-z]+\\.go)`: ((?:`[A-Za-z.]+`(?:, )?)+)")
	names := map[string]map[string]bool{}
	declared := func(file string) map[string]bool {
		if names[file] != nil {
			return names[file]
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]bool{}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				found[n.Name.Name] = true
			case *ast.ValueSpec:
				for _, id := range n.Names {
					found[id.Name] = true
				}
			case *ast.TypeSpec:
				found[n.Name.Name] = true
				if s, ok := n.Type.(*ast.StructType); ok {
					for _, field := range s.Fields.List {
						for _, id := range field.Names {
							found[n.Name.Name+"."+id.Name] = true
						}
					}
				}
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); ok && x.Name == "http" { // http.CrossOriginProtection
					found[strings.TrimPrefix(n.Sel.Name, "New")] = true
				}
			}
			return true
		})
		names[file] = found
		return found
	}
	checked := 0
	for _, doc := range []string{"README.md", "../docs/guide-federation.vi.md", "../docs/guide-federation.md"} {
		b, err := os.ReadFile(filepath.FromSlash(doc))
		if os.IsNotExist(err) && strings.HasPrefix(doc, "..") {
			continue // copied out of the repository
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range where.FindAllStringSubmatch(string(b), -1) {
			for _, name := range strings.Split(m[2], ", ") {
				name = strings.Trim(name, "` ,")
				if name == "" {
					continue
				}
				if checked++; !declared(m[1])[name] {
					t.Errorf("%s: %s has no %s", doc, m[1], name)
				}
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d references found", checked)
	}
}
