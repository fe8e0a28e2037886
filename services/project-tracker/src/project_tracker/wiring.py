"""The composition root: who is given what."""

from collections.abc import Sequence

from fastapi import APIRouter

from chassis.calendars import routes as calendars
from chassis.calendars.operations import Calendars
from chassis.events.routes import event_routes
from chassis.standing import Standing
from project_tracker.baselines import routes as baselines
from project_tracker.baselines.operations import Baselines
from project_tracker.budget_lines import routes as budget_lines
from project_tracker.budget_lines.operations import BudgetLines
from project_tracker.calendars.tables import CALENDARS
from project_tracker.costs import routes as costs
from project_tracker.costs.operations import Costs
from project_tracker.plans.links import routes as links
from project_tracker.plans.links.operations import Dependencies
from project_tracker.plans.tasks import routes as tasks
from project_tracker.plans.tasks.operations import Tasks
from project_tracker.progress import routes as progress
from project_tracker.progress.operations import ProgressReports
from project_tracker.projects import routes as projects
from project_tracker.projects.operations import Projects
from project_tracker.schedules import routes as schedules
from project_tracker.schedules.operations import Schedules

PACKAGE = "project_tracker"


def routers(standing: Standing) -> Sequence[APIRouter]:
    """Return the routes of every slice, each given what it needs."""
    database, seal = standing.runtime, standing.seal
    of_projects = Projects(database, seal)
    of_tasks = Tasks(database, seal, of_projects)
    of_schedules = Schedules(database, of_projects, of_tasks)
    return [
        calendars.router(Calendars(database, CALENDARS, seal), scopes="projects"),
        projects.router(of_projects),
        tasks.router(of_tasks),
        links.router(Dependencies(database, seal, of_projects, of_tasks)),
        schedules.router(of_schedules),
        baselines.router(Baselines(database, seal, of_projects, of_schedules)),
        progress.router(ProgressReports(database, seal, of_projects, of_tasks)),
        costs.router(Costs(database, seal, of_projects, of_tasks)),
        budget_lines.router(BudgetLines(database, seal, of_projects, of_tasks)),
        event_routes(standing.feed),
    ]
