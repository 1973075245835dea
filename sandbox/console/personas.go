package console

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/templates"
	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

func (c *Console) listPersonas(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	q, after := strings.TrimSpace(clip(query.Get("q"), 200)), vneid.CCCD(clip(query.Get("after"), 20))
	v := templates.ConsolePersonasView{Frame: c.Frame(w, r), OnConsole: c.on(r), Paging: templates.Paging{Query: q, First: after == ""}}
	err := c.view(r, func(tx vneid.Tx) error {
		v.People, v.Next = nil, ""
		list, err := tx.AccountsAfter(q, after, perPage+1)
		if len(list) > perPage {
			list = list[:perPage]
			v.Next = next(q, string(list[perPage-1].CCCD))
		}
		for i := range list {
			v.People = append(v.People, personView(&list[i].Persona))
		}
		return err
	})
	if err != nil {
		return err
	}
	return c.show(w, r, v)
}

// next is the query of the page that goes on after somebody.
func next(q, after string) string {
	query := url.Values{"after": {after}}
	if q != "" {
		query.Set("q", q)
	}
	return query.Encode()
}

func personView(p *vneid.Persona) templates.ConsolePerson {
	return templates.ConsolePerson{CCCD: string(p.CCCD), Name: p.Name, Phone: string(p.Phone), Note: p.Note, Level: p.AccountLevel,
		Status: string(p.Status), SMS: string(p.SMS), WebLogin: p.WebLogin}
}
