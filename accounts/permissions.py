"""The one table of what may be done, and the sets of it that make a role."""

READ = "interaction.read"
LOG = "interaction.log"
DELETE = "interaction.delete"
LABEL = "label.write"
FEEDBACK = "feedback.write"
REVIEW = "review.answer"
MANAGE_REVIEWS = "review.manage"
CALL = "model.call"
MANAGE_MODELS = "model.manage"
DEPLOY = "model.deploy"
MANAGE_TESTS = "experiment.manage"
MANAGE_PROJECT = "project.manage"
CREATE_PROJECT = "project.create"
MANAGE_TEAM = "team.manage"
AUDIT = "audit.read"

PERMISSIONS = {
    READ: "Read interactions, labels and feedback",
    LOG: "Log interactions",
    DELETE: "Delete interactions",
    LABEL: "Set and remove labels",
    FEEDBACK: "Give feedback, write notes",
    REVIEW: "Review in queues",
    MANAGE_REVIEWS: "Make queues, fill them, decide conflicts, read their reports; delete others’ notes",
    CALL: "Call models, through the gateway and in the playground",
    MANAGE_MODELS: "Register models and providers; attach models to projects and detach them",
    DEPLOY: "Make a model a project's default; decide A/B tests and let them decide themselves",
    MANAGE_TESTS: "Create, pause and cancel A/B tests",
    MANAGE_PROJECT: "Rename, share, archive, delete projects; define feedback keys; set retention; hold interactions",
    CREATE_PROJECT: "Create projects",
    MANAGE_TEAM: "Invite people and set their roles",
    AUDIT: "Read the team's audit log, and what reviews and exports leave behind",
}

# key: (name, permissions); a team starts with these
ROLES = {
    "administrator": ("Administrator", set(PERMISSIONS)),
    "engineer": ("Engineer", set(PERMISSIONS) - {MANAGE_TEAM, AUDIT}),
    "reviewer": ("Reviewer", {READ, LABEL, FEEDBACK, REVIEW, MANAGE_REVIEWS, CALL}),
    "annotator": ("Annotator", {READ, LABEL, FEEDBACK, REVIEW}),
    "auditor": ("Auditor", {READ, AUDIT}),
    "program": ("Program", {LOG, READ, FEEDBACK, CALL}),
}
