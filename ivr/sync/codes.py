"""The codes and units of what is measured, and where each of them is written. Pure.

docs/centre-formats.md has the same table for readers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
#: Of every vital sign: hl7.org/fhir/R4/observation-vitalsigns.html.
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
#: JP Core 1.2 wants both of its own besides: JP_Observation_VitalSigns.fsh of jami-fhir-jp-wg/jp-core-v1x.
JP_CATEGORY = "http://jpfhir.jp/fhir/core/CodeSystem/JP_SimpleObservationCategory_CS"
JP_VITAL_SIGN = "http://jpfhir.jp/fhir/core/CodeSystem/JP_ObservationVitalSignsCategory_CS"
JP_PROFILE = "http://jpfhir.jp/fhir/core/StructureDefinition/JP_Observation_VitalSigns"


@dataclass(frozen=True)
class Measured:
    """How one measured value is written in FHIR."""

    loinc: tuple[tuple[str, str], ...]  #: code and name; the first is the one that the profile asks for
    unit: str  #: UCUM
    shown: str  #: the unit for people
    profile: str
    jp_category: tuple[str, str]  #: code and name in JP_VITAL_SIGN
    sources: tuple[str, ...]


#: Question id -> its codes. A question that is not here is told in the QuestionnaireResponse only.
MEASURED: Mapping[str, Measured] = {
    "temperature": Measured(
        loinc=(("8310-5", "Body temperature"),),
        unit="Cel",
        shown="℃",
        profile="http://hl7.org/fhir/StructureDefinition/bodytemp",
        jp_category=("temperature", "体温"),
        # One of the two units that the profile allows: Cel and [degF].
        sources=("hl7.org/fhir/R4/bodytemp.html",),
    ),
    "oxygen": Measured(
        # The profile of R4 wants 2708-6 and lets 59408-5, which says how it was measured, stand beside it.
        loinc=(
            ("2708-6", "Oxygen saturation in Arterial blood"),
            ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry"),
        ),
        unit="%",
        shown="%",
        profile="http://hl7.org/fhir/StructureDefinition/oxygensat",
        jp_category=("respiratory-function", "呼吸機能"),
        sources=(
            "hl7.org/fhir/R4/oxygensat.html",
            "hl7.org/fhir/us/vitals/STU1/StructureDefinition-oxygen-saturation-arterial-blood-pulseOx.html",
        ),
    ),
}
