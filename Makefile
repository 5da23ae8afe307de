# What people do here, by name. Python is the one on the path (activate your environment first); the data's archives are
# looked for in SOURCES, prepared data, checkpoints and caches stand in MOTIFMIX_HOME.
PYTHON ?= python
SOURCES ?= ../shared/data
export MOTIFMIX_HOME ?= $(CURDIR)/.motifmix
PREPARED := $(MOTIFMIX_HOME)/data
RECIPES := recipes/default
# In this order: the denoiser reads the VAE's latents and trains the style encoder on, which autoencoding has begun;
# alignment needs both; the judges need none of them.
STAGES := vae style_content style denoiser places vae_decoder align films
# One run each: a shared run would tie the judges together through the clipping of their gradients.
JUDGES := guide select score retrieval
# Not shipped, measured beside the default; and what 'make results' asks besides: people's prompts with labels.
BESIDE := cells trial paper_base paper
PROMPTS ?= $(SOURCES)/prompts_public.json
CELLS := $(MOTIFMIX_HOME)/weights-cells

# What StyleMotif is compared with, in the order in which each reads what is before it; then the rows that are sizes of a recipe.
METHODS := base style_network smoodi stylemotif aberman motion_puzzle style_only
AS_PUBLISHED := smoodi stylemotif
ABLATION := ablation content_only style_only not_pretrained block_1 block_3 block_4 every_block adain zero_layers
TABLES := stylization transfer text-style efficiency ablation
# Past the paper: a learned strength, long descriptions, a second base; and models from which one style was left out.
FURTHER := strength descriptions second_base unseen_vae unseen_start
UNSEEN := full active elderly exhausted feminine youthful

# Two people. Models first, then who judges them, then what mixes them or is compared with that: sizes of two recipes.
DUETS := interaction individual interaction_intergen individual_mdm individual_humanml3d
DUET_JUDGES := evaluator_interaction evaluator_individual
MIXERS := full seed_1 seed_2 global global_seed_1 global_seed_2 temporal spatial rate_low rate_high balance_none balance_high grid_mdm_in2in grid_in2in_intergen grid_mdm_intergen familiar familiar_seed_1 familiar_seed_2 familiar_critics familiar_longer led led_seed_1 led_seed_2 clips texts pairs_only unrestrained
FINETUNED := full interaction long interaction_long

.PHONY: help install test lint types format check check-gltf check-blender check-data data weights methods further duets beside tables results publish fidelity bench docs ci

help: ## This list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: ## Install for work on the code: editable, with tests and checkers
	$(PYTHON) -m pip install -c constraints.txt -e '.[dev]'

test: ## The tests
	$(PYTHON) -m pytest

lint: ## ruff: rules and format
	$(PYTHON) -m ruff check .
	$(PYTHON) -m ruff format --check .

format: ## Let ruff mend what it can
	$(PYTHON) -m ruff check --fix .
	$(PYTHON) -m ruff format .

types: ## pyright
	$(PYTHON) -m pyright

check: check-gltf check-blender check-data ## What needs other programs, or the data's archives

check-gltf: ## Khronos' validator on the GLB that we write (node, npm)
	PYTHON=$(PYTHON) sh scripts/check_gltf.sh

check-blender: ## Blender opens our BVH and GLB as they should look (Python 3.11; installs bpy in build/blender)
	PYTHON=$(PYTHON) sh scripts/check_blender.sh

check-data: ## Every clip of the archives comes in upright and goes out again (SOURCES)
	$(PYTHON) scripts/check_bvh_data.py $(SOURCES)

data: ## Prepare both training sets from SOURCES; goes on after an interruption
	$(PYTHON) -m motifmix data prepare bandai --source $(SOURCES)/bandai-namco-motiondataset.tar.xz --out $(PREPARED)/bandai
	$(PYTHON) -m motifmix data prepare cmu --source $(SOURCES)/cmu-mocap-30fps.tar.xz --out $(PREPARED)/cmu

weights: data ## All default weights again, from the archives; goes on after an interruption
	for stage in $(filter-out films,$(STAGES)); do $(PYTHON) -m motifmix train $(RECIPES)/$$stage.yaml || exit 1; done
	$(PYTHON) -m motifmix data prepare films --out $(PREPARED)/films
	$(PYTHON) -m motifmix train $(RECIPES)/films.yaml
	for judge in $(JUDGES); do \
	  $(PYTHON) -m motifmix train $(RECIPES)/judge.yaml --set name=judge-$$judge --set options.only=$$judge || exit 1; done

methods: weights ## All that the tables compare, from the archives, in some hours; goes on after an interruption
	for stage in $(METHODS); do $(PYTHON) -m motifmix train recipes/stylemotif/$$stage.yaml || exit 1; done
	for stage in $(AS_PUBLISHED); do \
	  $(PYTHON) -m motifmix train recipes/stylemotif/$$stage.yaml --set size=own_reference || exit 1; done
	for size in $(ABLATION); do \
	  $(PYTHON) -m motifmix train recipes/stylemotif/stylemotif.yaml --set size=$$size || exit 1; done

further: weights ## What goes past the paper, from the archives; goes on after an interruption
	for stage in $(FURTHER); do $(PYTHON) -m motifmix train recipes/stylemotif/$$stage.yaml || exit 1; done
	for size in $(UNSEEN); do for stage in denoiser align; do \
	  $(PYTHON) -m motifmix train recipes/stylemotif/unseen_$$stage.yaml --set size=$$size || exit 1; done; done

duets: data ## All models of two people, from the archives, in some hours; goes on after an interruption
	test -d $(PREPARED)/duets || \
	  $(PYTHON) -m motifmix data prepare duets --source $(SOURCES) --out $(PREPARED)/duets
	test -d $(PREPARED)/duets-foreign || \
	  $(PYTHON) -m motifmix data prepare duets-foreign --out $(PREPARED)/duets-foreign
	test -d $(PREPARED)/duets-styled || \
	  $(PYTHON) -m motifmix data prepare duets-styled --out $(PREPARED)/duets-styled
	for stage in $(DUETS) $(DUET_JUDGES); do $(PYTHON) -m motifmix train recipes/duets/$$stage.yaml || exit 1; done
	for judge in $(DUET_JUDGES); do for size in select guide; do \
	  $(PYTHON) -m motifmix train recipes/duets/$$judge.yaml --set size=$$size || exit 1; done; done
	for size in $(MIXERS); do $(PYTHON) -m motifmix train recipes/duets/mixer.yaml --set size=$$size || exit 1; done
	for size in $(FINETUNED); do $(PYTHON) -m motifmix train recipes/duets/finetuned.yaml --set size=$$size || exit 1; done

tables: ## Measure what 'make methods' made: the paper's tables, into build/tables
	for table in $(TABLES); do $(PYTHON) -m motifmix evaluate $$table --out build/tables || exit 1; done
	$(PYTHON) scripts/compare_styled.py build/tables
	$(PYTHON) scripts/style_training.py build/tables

beside: weights ## The rows beside the default: some cells left out, the trials' winner, the paper's own recipe
	for size in full style_content; do $(PYTHON) -m motifmix train $(RECIPES)/cells_vae.yaml --set size=$$size || exit 1; done
	for recipe in $(BESIDE); do $(PYTHON) -m motifmix train $(RECIPES)/$$recipe.yaml || exit 1; done
	for name in trial paper; do \
	  $(PYTHON) -m motifmix evaluate $(MOTIFMIX_HOME)/weights-$$name --out build/$$name || exit 1; done

results: ## Measure the default weights: tables as markdown and JSON in build/results (with PROMPTS and CELLS, if there)
	$(PYTHON) -m motifmix evaluate default $(if $(wildcard $(PROMPTS)),--prompts $(PROMPTS)) \
	  $(if $(wildcard $(CELLS)/denoiser.yaml),--cells $(CELLS)) --out build/results

publish: ## Write README and docs from what 'make results' and 'make beside' measured
	$(PYTHON) scripts/publish_results.py build/results --others $(wildcard build/trial build/paper)

fidelity: ## Compare with the golden numbers (MOTIFMIX_GOLDEN) and write docs/fidelity.md
	$(PYTHON) scripts/fidelity.py

bench: ## Seconds and memory of each stage on this machine
	$(PYTHON) -m motifmix bench --out build/bench.json

docs: ## The documentation as a site in site/
	$(PYTHON) -m mkdocs build --strict

ci: ## What must hold before a change goes in
	.ci/run
