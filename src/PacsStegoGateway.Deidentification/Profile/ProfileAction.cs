using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>The basic action of a row, as PS3.15 Table E.1-1 writes it; numbered as the generator numbers them.</summary>
public enum ProfileAction : byte
{
    /// <summary>D: replace by a dummy of non-zero length that is legal for the VR.</summary>
    Dummy,

    /// <summary>Z: zero length, or a dummy.</summary>
    Zero,

    /// <summary>X: remove.</summary>
    Remove,

    /// <summary>K: keep; of a sequence the items are de-identified.</summary>
    Keep,

    /// <summary>C: clean; of a sequence the items are de-identified.</summary>
    Clean,

    /// <summary>U: replace by a UID that is consistent everywhere.</summary>
    MapUID,

    /// <summary>Z/D: Z unless the attribute is Type 1, then D.</summary>
    ZeroOrDummy,

    /// <summary>X/Z: X unless the attribute is Type 2, then Z.</summary>
    RemoveOrZero,

    /// <summary>X/D: X unless the attribute is Type 1, then D.</summary>
    RemoveOrDummy,

    /// <summary>X/Z/D: X, Z for Type 2, D for Type 1.</summary>
    RemoveOrZeroOrDummy,

    /// <summary>X/Z/U*: X, Z for Type 2, for Type 1 (a sequence with references) the UIDs inside are replaced.</summary>
    RemoveOrZeroOrMapUIDs,
}

/// <summary>The option columns of PS3.15 Table E.1-1, in the order of the generated cells.</summary>
public enum DeidentificationOption : byte
{
    CleanGraphics,
    CleanStructuredContent,
    CleanDescriptors,
    RetainLongitudinalFullDates,
    RetainLongitudinalModifiedDates,
    RetainPatientCharacteristics,
    RetainDeviceIdentity,
    RetainUIDs,
    RetainSafePrivate,
    RetainInstitutionIdentity,
}

/// <summary>One row of PS3.15 Table E.1-1.</summary>
/// <param name="Tag">The tag that was looked up.</param>
/// <param name="Pattern">The tag column of a row for a repeating group or for private groups, otherwise null.</param>
/// <param name="Action">The Basic Prof. column.</param>
/// <param name="OptionCells">Two bits for each <see cref="DeidentificationOption"/>, lowest first: 0 blank, 1 K, 2 C.</param>
public readonly record struct ProfileRow(Tag Tag, string? Pattern, ProfileAction Action, uint OptionCells)
{
    /// <summary>The tag column as the standard prints it.</summary>
    public string Id => Pattern ?? Tag.ToString();

    /// <summary>What the option's column says, or null when it is blank.</summary>
    public ProfileAction? ActionOf(DeidentificationOption option) => ((OptionCells >> (2 * (int)option)) & 3) switch
    {
        1 => ProfileAction.Keep,
        2 => ProfileAction.Clean,
        _ => null,
    };
}
