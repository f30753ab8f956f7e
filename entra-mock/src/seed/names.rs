//! Invented, neutral names for generated users, groups and applications.

pub(super) const GIVEN: [&str; 40] = [
    "Aaron", "Alba", "Amir", "Anna", "Ben", "Bianca", "Carla", "Chen", "Dana", "Daniel", "Elena",
    "Emil", "Farah", "Finn", "Greta", "Hana", "Hugo", "Ida", "Ilya", "Jana", "Jonas", "Kaya",
    "Kofi", "Lara", "Leon", "Mara", "Milo", "Nadia", "Noor", "Omar", "Paula", "Priya", "Rosa",
    "Sami", "Sofia", "Theo", "Uma", "Viktor", "Yara", "Zoe",
];

pub(super) const SURNAMES: [&str; 40] = [
    "Abel", "Adams", "Baker", "Bauer", "Becker", "Berg", "Brandt", "Costa", "Dietrich", "Duarte",
    "Eriksen", "Fischer", "Fontana", "Garcia", "Haas", "Hansen", "Ivanova", "Jensen", "Kaiser",
    "Keller", "Kim", "Lang", "Larsen", "Lopez", "Maier", "Moreau", "Nakamura", "Novak", "Okafor",
    "Park", "Peters", "Rossi", "Roth", "Santos", "Schulz", "Silva", "Tanaka", "Vogel", "Weber",
    "Winter",
];

/// Departments with their titles, the head of department first.
pub(super) const DEPARTMENTS: [(&str, [&str; 3]); 8] = [
    (
        "Engineering",
        ["Engineering Manager", "Software Engineer", "Test Engineer"],
    ),
    ("Finance", ["Head of Finance", "Accountant", "Controller"]),
    ("HR", ["Head of HR", "Recruiter", "HR Partner"]),
    ("IT", ["IT Manager", "Administrator", "Support Engineer"]),
    ("Legal", ["General Counsel", "Counsel", "Paralegal"]),
    ("Marketing", ["Head of Marketing", "Editor", "Designer"]),
    (
        "Operations",
        ["Head of Operations", "Planner", "Coordinator"],
    ),
    (
        "Sales",
        ["Head of Sales", "Account Manager", "Sales Assistant"],
    ),
];

pub(super) const OFFICES: [&str; 6] = [
    "Amsterdam",
    "Berlin",
    "Munich",
    "Vienna",
    "Warsaw",
    "Zurich",
];

/// First and second part of generated application names.
pub(super) const APP_SUBJECTS: [&str; 20] = [
    "Asset", "Budget", "Calendar", "Contract", "Course", "Customer", "Delivery", "Design", "Event",
    "Facility", "Goal", "Incident", "Invoice", "Meeting", "Order", "Payroll", "Project", "Survey",
    "Travel", "Visitor",
];
pub(super) const APP_FORMS: [&str; 10] = [
    "Desk", "Board", "Hub", "Planner", "Tracker", "Studio", "Portal", "Vault", "Flow", "Center",
];

/// Publishers of sample applications, all under reserved example names.
pub(super) const PUBLISHERS: [&str; 6] = [
    "Fabrikam Software",
    "Northwind Apps",
    "Adatum Tools",
    "Litware Cloud",
    "Proseware Labs",
    "Tailspin Services",
];

/// Operating systems of devices, with a version.
pub(super) const SYSTEMS: [(&str, &str); 4] = [
    ("Windows", "10.0.26100.4652"),
    ("macOS", "15.6"),
    ("iOS", "18.6"),
    ("Android", "15"),
];
