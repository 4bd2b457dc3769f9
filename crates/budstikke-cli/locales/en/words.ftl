# Choices in forms and messages, by the schema's names: <enum>-<value>.

role-defender = defender
role-family = family
role-legal-representative = legal representative
role-trusted-contact = trusted contact
role-mission-staff = mission staff
role-mission-contact-person = contact person of the mission
role-head-of-mission = head of mission
role-multilateral-mission-staff = staff of a mission to international organisations
role-ministry-desk = Ministry desk
role-ministry-duty-officer = Ministry duty officer
role-ministry-decision-maker = Ministry decision-maker
role-ministry-privacy-officer = Ministry privacy officer

leg-defender-mission = defender and mission
leg-defender-multilateral-mission = defender and mission to international organisations
leg-mission-ministry = mission and Ministry
leg-mission-multilateral-mission = mission and mission to international organisations
leg-mission-team = inside the mission

answer-yes = yes
answer-no = no
answer-unknown = not known
answer-declined = rather not say

handling-recipient-only = only the recipient
handling-case-team = only the people who work on this
handling-mission = the mission
handling-ministry = the mission and the Ministry
handling-partners = partners too

purpose-protection = protection
purpose-support = support
purpose-reporting = reporting
purpose-multilateral-work = work in international organisations
purpose-running-the-channel = keeping in touch
purpose-rights-request = rights over data

data-category-ordinary = ordinary personal data
data-category-political-opinion = political opinion
data-category-health = health
data-category-ethnic-origin = ethnic origin
data-category-religion-or-belief = religion or belief
data-category-trade-union = trade union
data-category-sexual-orientation = sexual orientation
data-category-criminal-offence = criminal offence
data-category-child = children
data-category-other = other

identity-level-alias = alias only
identity-level-organisation = organisation
identity-level-name = name

urgency-routine = not urgent
urgency-high = soon
urgency-urgent = urgent
urgency-flash = at once

transport-relay-quic = this relay, directly
transport-relay-tls = this relay, over TLS
transport-relay-tor = this relay, over Tor
transport-offline-bundle = a file carried by hand
transport-in-person = in person
transport-voice-code-word = by voice, code words only

run-mode-real = real
run-mode-exercise = EXERCISE

legal-basis-public-task = public task
legal-basis-vital-interests = vital interests
legal-basis-consent = consent
legal-basis-legal-obligation = legal obligation
legal-basis-substantial-public-interest = substantial public interest
legal-basis-legal-claims = legal claims

terms-kind-ordinary = ordinary
terms-kind-emergency = for emergencies

recipient-class-ministry = the Ministry
recipient-class-multilateral-mission = missions to international organisations
recipient-class-likeminded-mission = like-minded missions
recipient-class-un-body = UN bodies
recipient-class-regional-body = regional bodies
recipient-class-nhri = national human rights institutions
recipient-class-ngo-protection = protection organisations
recipient-class-funder = funders
recipient-class-enterprise = enterprises
recipient-class-host-authorities = authorities of the country
recipient-class-immigration = immigration authorities
recipient-class-media = media
recipient-class-other = others

onward-mode-never = never
onward-mode-ask-each-time = only after asking each time
onward-mode-standing = agreed once and for all

receipt-kind-delivered = the other device has it
receipt-kind-read = it was shown on a screen
receipt-kind-taken-on = a person has it and says what happens next
receipt-kind-refused = it was refused
receipt-kind-not-understood = it was not understood

notification-style-none = none
notification-style-innocuous = nothing that shows what this is
notification-style-plain = plain

terms-change-kind-suspend = pause
terms-change-kind-resume = pause ends
terms-change-kind-end = end

subject-kind-person = person
subject-kind-group = group
subject-kind-organisation = organisation
subject-kind-community = community
subject-kind-family-member = family member
subject-kind-other = other

theme-environment = environment
theme-land-resources = land and resources
theme-indigenous-peoples = indigenous peoples
theme-women = women
theme-lgbtiq = LGBTIQ people
theme-labour = labour
theme-journalism = journalism
theme-lawyers = lawyers
theme-anti-corruption = anti-corruption
theme-religion-or-belief = religion or belief
theme-minorities = minorities
theme-children = children
theme-education = education
theme-disability = disability
theme-civic-space = civic space
theme-refugees = refugees
theme-business = business
theme-other = other

incident-type-killing = killing
incident-type-attempted-killing = attempted killing
incident-type-enforced-disappearance = enforced disappearance
incident-type-arrest = arrest
incident-type-detention = detention
incident-type-house-arrest = house arrest
incident-type-torture-or-ill-treatment = torture or ill-treatment
incident-type-physical-attack = physical attack
incident-type-sexual-violence = sexual violence
incident-type-threat = threat
incident-type-threat-to-family = threat to family
incident-type-online-harassment = online harassment
incident-type-smear-or-branding = smear campaign or branding
incident-type-surveillance = surveillance
incident-type-raid-or-search = raid or search
incident-type-theft-or-vandalism = theft or vandalism
incident-type-job-loss = job loss
incident-type-lawsuit-or-charge = lawsuit or charge
incident-type-fine = fine
incident-type-travel-ban = travel ban
incident-type-social-exclusion = social exclusion
incident-type-organisation-closed = organisation closed
incident-type-accounts-frozen = accounts frozen
incident-type-other = other

actor-kind-police = police
actor-kind-security-service = security service
actor-kind-military = military
actor-kind-other-authority = other authority
actor-kind-armed-group = armed group
actor-kind-enterprise = enterprise
actor-kind-private-security = private security
actor-kind-private-person = private person
actor-kind-community = community
actor-kind-media = media
actor-kind-not-known = not known
actor-kind-other = other

other-actor-kind-diplomatic-mission = diplomatic mission
other-actor-kind-international-organisation = international organisation
other-actor-kind-civil-society = civil society
other-actor-kind-nhri = national human rights institution
other-actor-kind-media = media
other-actor-kind-other = other

source-kind-defender = defender
source-kind-family = family
source-kind-lawyer = lawyer
source-kind-colleague = colleague
source-kind-civil-society = civil society
source-kind-international-organisation = international organisation
source-kind-other-mission = other mission
source-kind-media = media
source-kind-other = other

reliability-first-hand = first hand
reliability-corroborated = corroborated
reliability-single-source = single source
reliability-hearsay = hearsay

age-band-under-18 = under 18
age-band-18-to-29 = 18 to 29
age-band-30-to-44 = 30 to 44
age-band-45-to-59 = 45 to 59
age-band-60-or-over = 60 or over
age-band-rather-not-say = rather not say

word-other-update-needed = other (update the program to see it)

phase-none = nothing was proposed yet
phase-offered = offered
phase-proposed = proposed, not answered yet
phase-countered = countered, not answered yet
phase-accepted-by-one = accepted by one side so far
phase-in-force = in force
phase-amending = in force, a change is on the table
phase-suspended = paused
phase-ended = ended
phase-expired = run out
