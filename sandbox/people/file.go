package people

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/sandbox/strictyaml"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// seedFile is the form of a seed file.
type seedFile struct {
	Personas []persona `yaml:"personas"`
	Clients  []Client  `yaml:"clients"`
}

type persona struct{ vneid.Persona }

// Defaults make a persona of which the file says nothing special one with whom
// everything works.
func (p *persona) Defaults() {
	p.Persona = citizen("", "", "", "", "", "")
}

// Read reads a seed file. The error is a strictyaml.Mistakes with all there
// are.
func Read(name string, content []byte, nowYear int, allowHosts []string) (Data, error) {
	var raw seedFile
	f := strictyaml.Read(name, content, &raw)
	sum := sha256.Sum256(content)
	d := Data{Version: "file:" + hex.EncodeToString(sum[:8]), Clients: raw.Clients}
	first := map[vneid.CCCD]int{}
	for i := range raw.Personas {
		p, key := &raw.Personas[i].Persona, fmt.Sprintf("personas[%d]", i)
		addAll(f, key, p.Validate(nowYear))
		if before, twice := first[p.CCCD]; twice && p.CCCD != "" {
			f.Add(key+".cccd", fmt.Sprintf("the number of personas[%d]", before), "a number belongs to one person")
		} else {
			first[p.CCCD] = i
		}
		d.Personas = append(d.Personas, *p)
	}
	CheckClients(f, "clients", d.Clients, allowHosts)
	return d, f.Mistakes.Err()
}

// CheckClients fills in the defaults of the clients that stand under key in f
// and adds whatever is wrong with them to its mistakes.
func CheckClients(f *strictyaml.File, key string, clients []Client, allowHosts []string) {
	first := map[string]int{}
	for i := range clients {
		c, at := &clients[i], fmt.Sprintf("%s[%d]", key, i)
		addAll(f, at, c.Normalize(allowHosts))
		if before, twice := first[c.ClientID]; twice && c.ClientID != "" {
			f.Add(at+".client_id", fmt.Sprintf("the client_id of %s[%d]", key, before), "choose another")
		} else {
			first[c.ClientID] = i
		}
		switch public := c.TokenEndpointAuthMethod == vneid.AuthNone; {
		case public && c.Secret != "":
			f.Add(at+".client_secret", "a public client (token_endpoint_auth_method none) has no secret", "remove one of the two")
		case !public && !plainSecret(c.Secret):
			f.Add(at+".client_secret", "8 to 200 visible ASCII characters", "public clients have token_endpoint_auth_method: none instead")
		}
	}
}

// plainSecret holds a secret against VSCHAR, RFC 6749 appendix A.2.
func plainSecret(s string) bool {
	return len(s) >= 8 && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

func addAll(f *strictyaml.File, key string, bad map[string]string) {
	for _, field := range slices.Sorted(maps.Keys(bad)) {
		f.Add(key+"."+field, bad[field], "")
	}
}
