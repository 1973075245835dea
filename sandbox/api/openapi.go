package api

import (
	"embed"
	"fmt"
	"maps"
	"net/http"
	"path"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

// The description of the API, OpenAPI 3.1: written by hand, a file for each
// subject, put together here. openapi_test.go holds it against the routes.

//go:embed openapi/*.yaml
var descriptions embed.FS

type node = map[string]any

// description is the whole document, without the server's address.
var description = sync.OnceValue(func() node {
	files, err := descriptions.ReadDir("openapi")
	if err != nil {
		panic(err)
	}
	doc, paths, parts := node(nil), node{}, node{}
	for _, f := range files { // _document.yaml comes first
		var part node
		raw, err := descriptions.ReadFile("openapi/" + f.Name())
		if err == nil {
			err = yaml.Unmarshal(raw, &part)
		}
		if err != nil {
			panic(fmt.Sprintf("api: openapi/%s: %v", f.Name(), err)) // a test meets it first
		}
		if doc == nil {
			doc = part
		}
		subject := strings.TrimSuffix(f.Name(), path.Ext(f.Name()))
		for address, item := range members(part, "paths") {
			paths[address] = complete(item.(node), subject)
		}
		for kind, named := range members(part, "components") {
			if parts[kind] == nil {
				parts[kind] = node{}
			}
			maps.Copy(parts[kind].(node), named.(node))
		}
	}
	doc["paths"], doc["components"] = paths, parts
	return doc
})

func members(n node, name string) node {
	m, _ := n[name].(node)
	return m
}

// complete adds to the operations of a path what is the same for all.
func complete(item node, subject string) node {
	for method, operation := range item {
		if method == "parameters" {
			continue
		}
		o := operation.(node)
		o["tags"] = []string{subject}
		answers := maps.Clone(members(o, "responses")) // aliases may share it
		add := func(status, name string) {
			if answers[status] == nil {
				answers[status] = node{"$ref": "#/components/responses/" + name}
			}
		}
		add("401", "Unauthorized")
		add("403", "Forbidden")
		add("421", "WrongHost")
		add("default", "Otherwise")
		if o["parameters"] != nil || o["requestBody"] != nil {
			add("400", "Invalid")
		}
		if method != "get" {
			add("415", "WrongType")
		}
		if o["requestBody"] != nil {
			add("413", "TooLarge")
		}
		o["responses"] = answers
	}
	return item
}

// openAPI shows the description, as that of the request's world.
func (a *api) openAPI(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	doc := maps.Clone(description())
	doc["servers"] = []node{{"url": here(r)}} // relative to the address of this document
	return http.StatusOK, doc, nil
}
