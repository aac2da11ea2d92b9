using PacsStegoGateway.Dicom;

namespace PacsStegoGateway.Deidentification;

/// <summary>One attribute that was removed or changed, at any depth.</summary>
/// <param name="Path">Where: <c>(0008,1140)[1]/(0008,1155)</c>, items counted from 1. Inside a removed sequence nothing more is listed.</param>
/// <param name="Action">What was done: <see cref="ProfileAction.Remove"/>, <see cref="ProfileAction.Zero"/>,
/// <see cref="ProfileAction.Dummy"/>, <see cref="ProfileAction.MapUID"/> or <see cref="ProfileAction.Clean"/>.</param>
/// <param name="Rule">The row of Table E.1-1, or in words the rule beyond the table.</param>
/// <param name="Original">The element as it came, raw.</param>
public sealed record AttributeChange(string Path, ProfileAction Action, string Rule, Element Original)
{
    /// <summary>Path, action and rule: no value.</summary>
    public override string ToString() => $"{Path} {Action} {Rule}";
}
