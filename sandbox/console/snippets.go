package console

import (
	"bytes"
	"embed"
	"net/url"
	"strings"
	"text/template"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

//go:embed snippets/*.txt
var snippetFiles embed.FS

var snippetTexts = template.Must(template.ParseFS(snippetFiles, "snippets/*.txt"))

// kinds of programs that a client may be.
var kinds = []struct{ id, title, file string }{
	{"spring", "Spring Boot", "application.yml"},
	{"aspnet", "ASP.NET Core", "Program.cs"},
	{"php", "PHP (openid-connect-php)", "callback.php"},
	{"node", "Node.js (openid-client 6)", "app.mjs"},
	{"python", "Python (Authlib, Flask)", "app.py"},
	{"go", "Go (go-oidc)", "main.go"},
	{"keycloak", "Keycloak (identity broker)", "identity-provider.json"},
	{"apache", "Apache httpd (mod_auth_openidc)", "vneid.conf"},
}

// connection is what a snippet is filled in with. Nothing of it is a secret.
type connection struct {
	Issuer, ClientID, RedirectURI, RedirectPath, Method, Scope, ScopeCommas string
	Secret                                                                  bool // it authenticates with one
	Insecure                                                                bool // the issuer speaks http
}

// usualScopes are what a portal mostly asks for.
var usualScopes = []string{vneid.ScopeOpenID, vneid.ScopeProfile, vneid.ScopePhone, vneid.ScopeCCCD}

// snippets are what to put where, to connect each kind of program as this
// client.
func snippets(issuer string, client *vneid.Client) (list []templates.ConsoleSnippet) {
	c := connection{Issuer: issuer, ClientID: client.ClientID, Method: client.TokenEndpointAuthMethod, Secret: client.HasSecret(),
		Insecure: strings.HasPrefix(issuer, "http://"), RedirectPath: "/callback"}
	if len(client.RedirectURIs) > 0 {
		c.RedirectURI = quotable(client.RedirectURIs[0])
		if u, err := url.Parse(c.RedirectURI); err == nil {
			c.RedirectPath = quotable(u.EscapedPath())
		}
	}
	var scopes []string
	for _, s := range usualScopes {
		if client.AllowsScope(s) {
			scopes = append(scopes, s)
		}
	}
	c.Scope, c.ScopeCommas = strings.Join(scopes, " "), strings.Join(scopes, ", ")
	for _, k := range kinds {
		var b bytes.Buffer
		if err := snippetTexts.ExecuteTemplate(&b, k.id+".txt", c); err != nil {
			panic(err) // the texts are ours, and a test fills in each
		}
		list = append(list, templates.ConsoleSnippet{ID: k.id, Title: k.title, File: k.file, Code: b.String()})
	}
	return list
}

// quotable escapes what would end a string in one of the languages. In a URI
// the escaped form means the same.
func quotable(uri string) string {
	return strings.NewReplacer(`"`, "%22", "'", "%27", "$", "%24", "`", "%60", "{", "%7B", "}", "%7D", "<", "%3C", ">", "%3E").Replace(uri)
}
