"""The one table of what may be done, and the sets of it that make a role."""

READ = "interaction.read"
LOG = "interaction.log"
DELETE = "interaction.delete"
LABEL = "label.write"
FEEDBACK = "feedback.write"
REVIEW = "review.answer"
MANAGE_REVIEWS = "review.manage"
MANAGE_PROJECT = "project.manage"
CREATE_PROJECT = "project.create"
MANAGE_TEAM = "team.manage"

PERMISSIONS = {
    READ: "Read interactions, labels and feedback",
    LOG: "Log interactions",
    DELETE: "Delete interactions",
    LABEL: "Set and remove labels",
    FEEDBACK: "Give feedback",
    REVIEW: "Review in queues",
    MANAGE_REVIEWS: "Make queues, fill them, decide conflicts, read their reports",
    MANAGE_PROJECT: "Rename, share, archive, delete projects; define feedback keys; set retention; hold interactions",
    CREATE_PROJECT: "Create projects",
    MANAGE_TEAM: "Invite people and set their roles",
}

# key: (name, permissions); a team starts with these
ROLES = {
    "administrator": ("Administrator", set(PERMISSIONS)),
    "engineer": ("Engineer", set(PERMISSIONS) - {MANAGE_TEAM}),
    "reviewer": ("Reviewer", {READ, LABEL, FEEDBACK, REVIEW, MANAGE_REVIEWS}),
    "annotator": ("Annotator", {READ, LABEL, FEEDBACK, REVIEW}),
    "auditor": ("Auditor", {READ}),
    "program": ("Program", {LOG, READ, FEEDBACK}),
}
