# The short names that people know. `npm run up` does all of it at once.
# On a real cluster that kind makes: the same targets with ENGINE=kind, such as `make create-cluster ENGINE=kind`.
.PHONY: create-cluster build-business-logic build-front-end push helm-app port-forward clean-up
CLI := node packages/cli/bin/kind-e2e.mjs
ENGINE ?= embedded
REGISTRY ?= localhost:5001

ifeq ($(ENGINE),kind)

create-cluster:
	$(CLI) up --engine kind --no-app

build-business-logic:
	docker build --tag $(REGISTRY)/business-logic:dev apps/business-logic

build-front-end:
	docker build --tag $(REGISTRY)/front-end:dev apps/front-end

push: build-business-logic build-front-end
	docker push $(REGISTRY)/business-logic:dev
	docker push $(REGISTRY)/front-end:dev

# Builds and pushes what has changed, under a tag that stands for the sources, and upgrades the release.
helm-app:
	$(CLI) up --engine kind

# kind maps the gateway to localhost:8080 already; this says where everything is.
port-forward:
	$(CLI) status

clean-up:
	$(CLI) down --engine kind

else

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

endif
