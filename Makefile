# The short names that people know. `npm run up` does all of it at once.
.PHONY: create-cluster build-business-logic build-front-end push helm-app port-forward clean-up
CLI := node packages/cli/bin/kind-e2e.mjs

create-cluster:
	npm run up -- --detach --no-app

build-business-logic:
	$(CLI) build apps/business-logic

build-front-end:
	$(CLI) build apps/front-end

# `build` pushes what it made; both at once:
push: build-business-logic build-front-end

helm-app:
	$(CLI) deploy

# The gateway is on localhost:8080 already; this says where everything is.
port-forward:
	$(CLI) status

clean-up:
	$(CLI) down --purge
