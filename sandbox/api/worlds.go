package api

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/vneid-sandbox/vneid-sandbox/vneid"
)

// World is a world as the API shows it.
type World struct {
	ID        string `json:"id"`
	Issuer    string `json:"issuer"`
	Sandbox   string `json:"sandbox"` // its pages: /phone, /sms
	API       string `json:"api"`
	Attacker  string `json:"attacker,omitempty"` // absent: it does not listen
	CreatedAt string `json:"created_at,omitempty"`
	ExpiresAt string `json:"expires_at,omitempty"` // unless it is used before
}

// NewWorld is a world that was just made.
type NewWorld struct {
	World
	Token string `json:"token"` // shown once
}

// Worlds makes, lists and removes worlds. Errors that are the caller's are
// *Problem.
type Worlds interface {
	List(context.Context) ([]World, error)
	// Create makes a world; id "" = any. policy is JSON of what differs from
	// the configuration, empty = nothing.
	Create(ctx context.Context, id string, policy []byte) (NewWorld, error)
	Delete(ctx context.Context, id string) error
}

// here is the address of the API in the world of a request.
func here(r *http.Request) string { return Prefix + vneid.WorldFrom(r.Context()).Path }

// onlyDefault keeps the worlds where they are one list.
func onlyDefault(r *http.Request) error {
	if vneid.WorldFrom(r.Context()).ID != vneid.DefaultWorld {
		return Refuse(http.StatusNotFound, "worlds are made and listed at "+Prefix+"/worlds, outside of any world")
	}
	return nil
}

func (a *api) listWorlds(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	if err := onlyDefault(r); err != nil {
		return 0, nil, err
	}
	list, err := a.Worlds.List(r.Context())
	return http.StatusOK, list, err
}

func (a *api) createWorld(w http.ResponseWriter, r *http.Request) (int, any, error) {
	if err := onlyDefault(r); err != nil {
		return 0, nil, err
	}
	var body struct {
		ID     string          `json:"id"`
		Policy json.RawMessage `json:"policy"`
	}
	if r.ContentLength != 0 { // an empty body asks for any world
		_, bad, err := readObject(r, &body)
		if err != nil {
			return 0, nil, err
		}
		if len(bad) > 0 {
			return 0, nil, InvalidFields("", bad)
		}
	}
	made, err := a.Worlds.Create(r.Context(), body.ID, body.Policy)
	if err != nil {
		return 0, nil, err
	}
	w.Header().Set("Location", Prefix+"/worlds/"+made.ID)
	return http.StatusCreated, made, nil
}

func (a *api) deleteWorld(w http.ResponseWriter, r *http.Request) (int, any, error) {
	if err := onlyDefault(r); err != nil {
		return 0, nil, err
	}
	if err := a.Worlds.Delete(r.Context(), r.PathValue("id")); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, nil
}
