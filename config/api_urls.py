"""The whole API on one page, below /api/."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.routers import SimpleRouter

import accounts.schema  # noqa: F401 - tells the description of our keys
from accounts.api import TeamAudit, TeamMember, TeamMembers
from config.views import no_gateway
from experiments.api import ab_tests, records
from exports.api import exports, views
from feedback.api import comparisons, keys, statistics, values
from interactions import converters  # noqa: F401 - registers <whole:…>
from interactions.api import batch, given, history, holding, interactions, labels, notes
from interactions.api import reviews as interaction_reviews
from jobs.api import JobDetail, JobList
from projects.api import ProjectViewSet
from registry.api import attachments, models, providers
from reviews.api import items, mine, queues, reporting, reviewing

router = SimpleRouter(trailing_slash=False)
router.register("v1/projects", ProjectViewSet, basename="project")

urlpatterns = [
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("v1/interactions", interactions.InteractionList.as_view()),
    path("v1/interactions/batch", batch.InteractionBatch.as_view()),
    path("v1/interactions/<uuid:interaction_id>", interactions.InteractionDetail.as_view()),
    path("v1/interactions/<uuid:interaction_id>/labels/<whole:key>", interactions.InteractionLabel.as_view()),
    path("v1/interactions/<uuid:interaction_id>/feedback", given.InteractionFeedback.as_view()),
    path("v1/interactions/<uuid:interaction_id>/feedback/<uuid:feedback_id>", given.InteractionFeedbackValue.as_view()),
    path("v1/interactions/<uuid:interaction_id>/correction", given.InteractionCorrection.as_view()),
    path("v1/interactions/<uuid:interaction_id>/notes", notes.InteractionNotes.as_view()),
    path("v1/interactions/<uuid:interaction_id>/notes/<uuid:note_id>", notes.InteractionNote.as_view()),
    path("v1/interactions/<uuid:interaction_id>/history", history.InteractionHistory.as_view()),
    path("v1/interactions/<uuid:interaction_id>/reviews", interaction_reviews.InteractionReviews.as_view()),
    path("v1/interactions/<uuid:interaction_id>/payload", history.InteractionPayload.as_view()),
    path("v1/interactions/<uuid:interaction_id>/hold", holding.InteractionHold.as_view()),
    path("v1/projects/<str:project>/holds", holding.ProjectHolds.as_view()),
    path("v1/projects/<str:project>/retention", holding.ProjectRetention.as_view()),
    path("v1/projects/<str:project>/labels", labels.LabelKeyList.as_view()),
    path("v1/projects/<str:project>/labels/<whole:key>", labels.LabelKeyDetail.as_view()),
    path("v1/projects/<str:project>/label-renames", labels.LabelRenames.as_view()),
    path("v1/projects/<str:project>/label-jobs", labels.LabelJobs.as_view()),
    path("v1/projects/<str:project>/label-jobs/<uuid:job_id>/undo", labels.LabelJobUndo.as_view()),
    path("v1/projects/<str:project>/jobs", JobList.as_view()),
    path("v1/projects/<str:project>/jobs/<uuid:job_id>", JobDetail.as_view()),
    path("v1/projects/<str:project>/views", views.ViewList.as_view()),
    path("v1/projects/<str:project>/views/<slug:view_key>", views.ViewDetail.as_view()),
    path("v1/projects/<str:project>/exports", exports.ExportList.as_view()),
    path("v1/projects/<str:project>/exports/<uuid:export_id>", exports.ExportDetail.as_view()),
    path("v1/projects/<str:project>/exports/<uuid:export_id>/file", exports.ExportFile.as_view()),
    path("v1/projects/<str:project>/queues", queues.QueueList.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>", queues.QueueDetail.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/rule", queues.QueueRule.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/samples", items.SampleList.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/samples/<int:sample_id>/again", items.SampleAgain.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/items", items.ItemList.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/items/<int:item_id>", items.ItemDetail.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/items/<int:item_id>/decide", reviewing.Decide.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/answers", reporting.AnswerList.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/conflicts", reviewing.ConflictList.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/next", reviewing.Next.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/undo", reviewing.Undo.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/reviews/<uuid:review_id>", reviewing.ReviewDetail.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/reviews/<uuid:review_id>/draft", reviewing.Draft.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/reviews/<uuid:review_id>/submit", reviewing.Submit.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/reviews/<uuid:review_id>/skip", reviewing.Skip.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/reviews/<uuid:review_id>/later", reviewing.Later.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/reviews/<uuid:review_id>/reply", reviewing.Reply.as_view()),
    path("v1/projects/<str:project>/queues/<str:queue>/report", reporting.QueueReport.as_view()),
    path("v1/projects/<str:project>/reviews/mine", mine.MyReviews.as_view()),
    path("v1/projects/<str:project>/coverage", reporting.ProjectCoverage.as_view()),
    path("v1/projects/<str:project>/models", attachments.AttachmentList.as_view()),
    path("v1/projects/<str:project>/models/<whole:model>", attachments.AttachmentDetail.as_view()),
    path("v1/teams/<str:team>/audit", TeamAudit.as_view()),
    path("v1/teams/<str:team>/members", TeamMembers.as_view()),
    path("v1/teams/<str:team>/members/<str:email>", TeamMember.as_view()),
    path("v1/teams/<str:team>/models", models.ModelList.as_view()),
    path("v1/teams/<str:team>/models/<whole:model>/check", models.ModelCheck.as_view()),
    path("v1/teams/<str:team>/models/<whole:model>", models.ModelDetail.as_view()),
    path("v1/teams/<str:team>/providers", providers.ProviderList.as_view()),
    path("v1/teams/<str:team>/providers/<str:provider>", providers.ProviderDetail.as_view()),
    path("v1/teams/<str:team>/providers/<str:provider>/check", providers.ProviderCheck.as_view()),
    path("v1/chat/completions", no_gateway),
    path("v1/embeddings", no_gateway),
    path("v1/projects/<str:project>/ab-tests", ab_tests.ABTestList.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>", ab_tests.ABTestDetail.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/pause", ab_tests.ABTestPause.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/resume", ab_tests.ABTestResume.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/cancel", ab_tests.ABTestCancel.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/split", ab_tests.ABTestSplit.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/watch", ab_tests.ABTestWatch.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/evaluate", ab_tests.ABTestEvaluate.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/decide", ab_tests.ABTestDecide.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/roll-back", ab_tests.ABTestRollBack.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/log", records.ABTestLog.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/decision", records.ABTestDecision.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/crossed", records.ABTestCrossed.as_view()),
    path("v1/projects/<str:project>/ab-tests/<str:ab_test>/labels", records.ABTestLabels.as_view()),
    path("v1/feedback", values.FeedbackList.as_view()),
    path("v1/comparison", comparisons.ComparisonList.as_view()),
    path("v1/comparison/batch", comparisons.ComparisonBatch.as_view()),
    path("v1/feedback-keys", keys.FeedbackKeyList.as_view()),
    path("v1/feedback-keys/<whole:key>/stats", statistics.FeedbackKeyStats.as_view()),
    path("v1/feedback-keys/<whole:key>/preferences", comparisons.FeedbackKeyPreferences.as_view()),
    path("v1/feedback-keys/<whole:key>", keys.FeedbackKeyDetail.as_view()),
    path("", include(router.urls)),
]
