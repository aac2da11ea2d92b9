using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>
/// Resolves the actions that depend on the Type an attribute has in the IOD (Z/D, X/Z, X/D, X/Z/D, X/Z/U*). The Types
/// are a list made by hand from PS3.3 for the 49 attributes of the table that need it.
/// </summary>
/// <remarks>
/// The list speaks of the top level of the IODs that hold images. Inside items, and for every other IOD, the Type is
/// taken to be the most demanding one the row allows: D (or U*) before Z before X. That keeps every object legal and
/// leaves nothing of the value: zero length and a dummy tell as little as absence.
/// </remarks>
internal static class CompositeActions
{
    /// <summary>How the modules of an IOD set the Types of these attributes.</summary>
    internal enum IodKind : byte
    {
        /// <summary>Unknown here: the most demanding Type is assumed.</summary>
        Other,

        /// <summary>General Series, General Equipment and General Image as they are (CT, MR, CR, SC, US, XA, …).</summary>
        Image,

        /// <summary>Positron Emission Tomography: PET Series and PET Image demand dates (PS3.3 C.8.9).</summary>
        Pet,

        /// <summary>Radiotherapy objects with the RT Series Module (PS3.3 C.8.8.1).</summary>
        Radiotherapy,

        /// <summary>Multi-frame functional groups and Enhanced General Equipment (PS3.3 C.7.6.16, C.7.5.2).</summary>
        Enhanced,
    }

    /// <summary>The kind of a SOP class.</summary>
    internal static IodKind KindOf(string? sopClassUID)
    {
        const string storage = "1.2.840.10008.5.1.4.1.1.";
        if (sopClassUID is null || !sopClassUID.StartsWith(storage, StringComparison.Ordinal))
        {
            return IodKind.Other;
        }

        return sopClassUID[storage.Length..] switch
        {
            "1" or "1.1" or "1.1.1" or "1.2" or "1.2.1" or "1.3" or "1.3.1" // CR, DX, MG, IO
                or "2" or "4" or "20" // CT, MR, NM
                or "3.1" or "6.1" // US multi-frame, US
                or "7" // SC
                or "12.1" or "12.2" // XA, XRF
                or "77.1.1" or "77.1.2" or "77.1.3" or "77.1.4" // VL endoscopic, microscopic, slide, photographic
                or "77.1.1.1" or "77.1.2.1" or "77.1.4.1" => IodKind.Image, // and their videos
            "128" => IodKind.Pet,
            "481.1" or "481.2" or "481.3" or "481.5" or "481.8" => IodKind.Radiotherapy, // Image, Dose, Structure Set, Plan, Ion Plan
            "2.1" or "2.2" or "4.1" or "4.2" or "4.3" or "4.4" // Enhanced CT, legacy converted CT, Enhanced MR, spectroscopy, colour, legacy MR
                or "6.2" or "7.1" or "7.2" or "7.3" or "7.4" // Enhanced US volume, multi-frame SC
                or "12.1.1" or "12.2.1" or "13.1.1" or "13.1.2" or "13.1.3" // Enhanced XA, XRF, X-Ray 3D, breast tomosynthesis
                or "30" or "66.4" or "66.7" or "77.1.6" // Parametric Map, Segmentation, Label Map, whole slide
                or "128.1" or "130" => IodKind.Enhanced, // legacy converted PET, Enhanced PET
            _ => IodKind.Other,
        };
    }

    /// <summary>The single action for an attribute: <paramref name="action"/> itself when it is no composite.</summary>
    internal static ProfileAction Resolve(Tag tag, ProfileAction action, IodKind kind, bool atTopLevel)
    {
        if (action < ProfileAction.ZeroOrDummy)
        {
            return action;
        }

        int type = atTopLevel && kind != IodKind.Other ? TypeOf(tag, kind) : 1;
        return (action, type) switch
        {
            (ProfileAction.ZeroOrDummy, 1) => ProfileAction.Dummy,
            (ProfileAction.ZeroOrDummy, _) => ProfileAction.Zero,
            (ProfileAction.RemoveOrZero, 3) => ProfileAction.Remove,
            (ProfileAction.RemoveOrZero, _) => ProfileAction.Zero,
            // Type 2 must be present; D is the only one of the two that leaves it there.
            (ProfileAction.RemoveOrDummy, 3) => ProfileAction.Remove,
            (ProfileAction.RemoveOrDummy, _) => ProfileAction.Dummy,
            (ProfileAction.RemoveOrZeroOrDummy, 3) => ProfileAction.Remove,
            (ProfileAction.RemoveOrZeroOrDummy, 2) => ProfileAction.Zero,
            (ProfileAction.RemoveOrZeroOrDummy, _) => ProfileAction.Dummy,
            (ProfileAction.RemoveOrZeroOrMapUIDs, 3) => ProfileAction.Remove,
            (ProfileAction.RemoveOrZeroOrMapUIDs, 2) => ProfileAction.Zero,
            _ => ProfileAction.Keep,
        };
    }

    /// <summary>
    /// Type at the top level of an image IOD: 1, 2 or 3, conditional ones as if the condition held. 1 too for those of
    /// the 49 that no image IOD has at its top level.
    /// </summary>
    private static int TypeOf(Tag tag, IodKind kind) => (kind, tag.Value) switch
    {
        // PET Series, PET Image (C.8.9.1, C.8.9.4).
        (IodKind.Pet, 0x00080021 or 0x00080031) => 1, // Series Date, Time
        (IodKind.Pet, 0x00080022 or 0x00080032) => 2, // Acquisition Date, Time

        // RT Series, RT General Plan, RT Beams, Approval (C.8.8.1, C.8.8.9, C.8.8.14, C.8.8.16).
        (IodKind.Radiotherapy, 0x00081070) => 2, // Operators' Name
        (IodKind.Radiotherapy, 0x300A0006 or 0x300A0007) => 2, // RT Plan Date, Time

        // Multi-frame Functional Groups, Enhanced General Equipment, the enhanced Series and Image Modules.
        (IodKind.Enhanced, 0x00080023 or 0x00080033) => 1, // Content Date, Time
        (IodKind.Enhanced, 0x0008002A) => 1, // Acquisition DateTime
        (IodKind.Enhanced, 0x00181000) => 1, // Device Serial Number
        (IodKind.Enhanced, 0x00181030) => 1, // Protocol Name
        (IodKind.Enhanced, 0x00081111) => 1, // Referenced Performed Procedure Step Sequence
        (IodKind.Enhanced, 0x00081140 or 0x00082112) => 1, // Referenced Image, Source Image Sequence
        (IodKind.Enhanced, 0x00189516 or 0x00189517) => 1, // Start, End Acquisition DateTime

        // The same in every image IOD that has them.
        (_, 0x00080012 or 0x00080013) => 3, // Instance Creation Date, Time
        (_, 0x00080021 or 0x00080031) => 3, // Series Date, Time
        (_, 0x00080022 or 0x00080032 or 0x0008002A) => 3, // Acquisition Date, Time, DateTime
        (_, 0x00080023 or 0x00080033) => 2, // Content Date, Time
        (_, 0x00080080 or 0x00080082 or 0x00081010) => 3, // Institution Name, Code Sequence, Station Name
        (_, 0x00081070 or 0x00081072) => 3, // Operators' Name, Operator Identification Sequence
        (_, 0x00081110 or 0x00081111) => 3, // Referenced Study, Referenced Performed Procedure Step Sequence
        (_, 0x00081140 or 0x00082112) => 3, // Referenced Image, Source Image Sequence
        (_, 0x00100020) => 2, // Patient ID
        (_, 0x00102203) => 2, // Patient's Sex Neutered
        (_, 0x00180010) => 2, // Contrast/Bolus Agent
        (_, 0x00181000 or 0x00181030 or 0x00181400) => 3, // Device Serial Number, Protocol Name, Acquisition Device Processing Description
        (_, 0x0018700A or 0x0018700C or 0x0018700E) => 3, // Detector ID, Date and Time of Last Detector Calibration
        (_, 0x00189516 or 0x00189517) => 3, // Start, End Acquisition DateTime
        (_, 0x00321060) => 3, // Requested Procedure Description
        (_, 0x00400555) => 2, // Acquisition Context Sequence
        (_, 0x00700084) => 2, // Content Creator's Name
        (_, 0x22000002 or 0x22000005) => 2, // Label Text, Barcode Value
        (_, 0x300A00B2 or 0x300E0008) => 2, // Treatment Machine Name, Reviewer Name
        _ => 1,
    };
}
