package api

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// signingKey is what may be told of a key of the provider.
type signingKey struct {
	KID       string         `json:"kid"`
	Alg       string         `json:"alg"`
	State     vneid.KeyState `json:"state"`
	CreatedAt string         `json:"created_at"`
}

// listKeys lists all keys, oldest first, those that left the JWKS too.
func (a *api) listKeys(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	list := []signingKey{}
	err := a.view(r, func(tx vneid.Tx) error {
		keys, err := tx.SigningKeys()
		list = list[:0]
		for _, k := range keys {
			list = append(list, signingKey{k.KID, k.Alg, k.State, rfc3339(k.CreatedAt)})
		}
		return err
	})
	return http.StatusOK, list, err
}

var rotationStages = []string{"publish", "use", "retire"}

// rotateKey takes a rotation one stage on and answers with the list.
func (a *api) rotateKey(w http.ResponseWriter, r *http.Request) (int, any, error) {
	var body struct {
		Alg   string `json:"alg"`
		Stage string `json:"stage"`
	}
	given, bad, err := readObject(r, &body)
	if err != nil {
		return 0, nil, err
	}
	oneOf := func(field, value string, of []string) {
		wrong := slices.ContainsFunc(bad, func(b FieldError) bool { return b.Field == field })
		switch {
		case wrong:
		case !given[field]:
			bad = append(bad, FieldError{field, "is missing: one of " + strings.Join(of, ", ")})
		case !slices.Contains(of, value):
			bad = append(bad, FieldError{field, "is none of " + strings.Join(of, ", ")})
		}
	}
	oneOf("alg", body.Alg, vneid.SigningAlgs())
	oneOf("stage", body.Stage, rotationStages)
	if len(bad) > 0 {
		return 0, nil, InvalidFields("", bad)
	}
	err = a.RotateKey(r.Context(), body.Alg, body.Stage)
	var refused *vneid.Error
	if errors.As(err, &refused) && refused.Code == vneid.CodeConflict {
		return 0, nil, Refuse(http.StatusConflict, refused.Hint)
	}
	if err != nil {
		return 0, nil, err
	}
	return a.listKeys(w, r)
}
