(* What the theorems about the exact solution presuppose can be had: from every start with targets that
   differ, with numbers for all letters. Without this a theorem might say nothing, for want of anything that
   it is about. *)
From Coq Require Import Reals String Lra.
From Coquelicot Require Import Coquelicot.
From Companion Require Import Letters Eq10 Eq11 EqE1 EqE2 EqE4 EqE5 EqE6 Basics Exact Variables Limits.
Open Scope R_scope.

Section Exists.

Variables dx2_ tau_h_ tau_y_ dh2_0_ dy2_0_ dy2_target_ cosine_ : R.

(* The start, ... *)
Definition given_numbers : string -> R :=
  but "dx2" dx2_ (but "tau_h" tau_h_ (but "tau_y" tau_y_ (but "dh2_0" dh2_0_ (but "dy2_0" dy2_0_
    (but "dy2_target" dy2_target_ (but "cosine" cosine_ (fun _ => 0))))))).
Definition no_curves : string -> R -> R := fun _ _ => 0.
Definition given_letters : letters := meaning given_numbers no_curves.

(* ... then (E5) and (11) from it, ... *)
Definition numbers_5 : string -> R :=
  but "p_0" (eqE5_1_right given_letters) (but "x_0" (eqE5_2_right given_letters)
    (but "y_0" (eqE5_3_right given_letters) (but "c" (eqE5_4_right given_letters)
      (but "s" (eqE5_5_right given_letters) (but "A_high" (eq11_1_right given_letters)
        (but "A_low" (eq11_2_right given_letters) given_numbers)))))).

(* ... line by line (E6), and (10), ... *)
Definition numbers_6 : string -> R :=
  but "A" (eqE6_1_right (meaning numbers_5 no_curves)) numbers_5.
Definition numbers_7 : string -> R :=
  but "cos_phi" (eqE6_2_right (meaning numbers_6 no_curves)) numbers_6.
Definition numbers_8 : string -> R :=
  but "sin_phi" (eqE6_3_right (meaning numbers_7 no_curves)) numbers_7.
Definition numbers_9 : string -> R :=
  but "a_plus" (eqE6_4_right (meaning numbers_8 no_curves))
    (but "a_minus" (eqE6_5_right (meaning numbers_8 no_curves))
      (but "dh2_inf" (eq10_1_right (meaning numbers_8 no_curves)) numbers_8)).

(* ... then N from (E1), and everything else from N. *)
Definition curves_1 : string -> R -> R := but "N" (eqE1_1_right (meaning numbers_9 no_curves)) no_curves.
Definition letters_1 : letters := meaning numbers_9 curves_1.
Definition curves_4 : string -> R -> R :=
  but "p" (eqE2_1_right letters_1) (but "x" (eqE2_2_right letters_1) (but "y" (eqE2_3_right letters_1)
    (but "dh2" (eqE4_1_right letters_1) (but "dy2" (eqE4_2_right letters_1)
      (but "w" (eqE4_3_right letters_1) curves_1))))).
Definition all_letters : letters := meaning numbers_9 curves_4.

Hypothesis positive : 0 < dx2_ /\ 0 < tau_h_ /\ 0 < tau_y_ /\ 0 < dh2_0_ /\ 0 <= dy2_0_ /\ 0 < dy2_target_.
Hypothesis angle_is : -1 <= cosine_ <= 1.

(* They make an allowed start. *)
Lemma all_start : start all_letters.
Proof.
  destruct positive as (Hdx & Hh & Hy & H0 & Hdy & Hd).
  split; [repeat split; reflexivity | ].
  repeat split; try assumption; try (now left); apply angle_is.
Qed.

(* A is not zero, since the targets differ. *)
Lemma all_exact : exact all_letters.
Proof.
  assert (Hd : 0 < dy2_target all_letters) by apply positive.
  assert (Hs := s_positive all_letters all_start Hd).
  assert (HA : eqE6_1 all_letters) by reflexivity.
  split; [exact HA | split; [ | split]].
  - unfold eqE6_1 in HA; rewrite HA; apply sqrt_lt_R0; generalize (pow2_ge_0 (c all_letters)); nra.
  - intros t; reflexivity.
  - intros t _; repeat split; reflexivity.
Qed.

(* The derivatives of N that (E4) has in it exist. *)
Lemma all_variables : variables all_letters.
Proof.
  intros t _; assert (HN := N_dot_is all_letters all_exact).
  assert (Hex : ex_derive (N all_letters) t) by (eexists; apply HN).
  split; [split; [exact Hex | reflexivity] | split; [split; [exact Hex | reflexivity] | ]].
  split; [ | split; [exact Hex | reflexivity]].
  exists (N_ddot all_letters t); simpl.
  apply (is_derive_ext (N_dot all_letters)); [ | apply (N_dot_rate all_letters all_exact)].
  intros t'; symmetry; apply is_derive_unique, HN.
Qed.

(* (E6), line by line: each was chosen from the letters before it. *)
Lemma all_modes : eqE6 all_letters.
Proof.
  assert (H1 : eqE6_1 all_letters) by reflexivity.
  assert (H2 : eqE6_2 all_letters) by reflexivity.
  assert (H3 : eqE6_3 all_letters) by reflexivity.
  assert (H4 : eqE6_4 all_letters) by reflexivity.
  assert (H5 : eqE6_5 all_letters) by reflexivity.
  exact (conj H1 (conj H2 (conj H3 (conj H4 H5)))).
Qed.

(* (11), ... *)
Lemma all_11 : eq11 all_letters.
Proof.
  assert (H1 : eq11_1 all_letters) by reflexivity.
  assert (H2 : eq11_2 all_letters) by reflexivity.
  exact (conj H1 H2).
Qed.

(* ... and (10). *)
Lemma all_10 : eq10 all_letters.
Proof. reflexivity. Qed.

End Exists.

(* For every start with positive constants, targets that differ and any angle, there are letters of which
   (E1), (E2), (E4), (E5), (E6), (10) and (11) hold together. Of identical targets, and of trajectories of
   (7), (25) and (E0) that other theorems presuppose, this says nothing.
   Checks (10), (11), (E1), (E2), (E4), (E5) and (E6). *)
Theorem exact_exists : forall dx2_ tau_h_ tau_y_ dh2_0_ dy2_0_ dy2_target_ cosine_ : R,
  0 < dx2_ /\ 0 < tau_h_ /\ 0 < tau_y_ /\ 0 < dh2_0_ /\ 0 <= dy2_0_ /\ 0 < dy2_target_ ->
  -1 <= cosine_ <= 1 ->
  exists L, (dx2 L = dx2_ /\ tau_h L = tau_h_ /\ tau_y L = tau_y_ /\ dh2_0 L = dh2_0_ /\ dy2_0 L = dy2_0_
             /\ dy2_target L = dy2_target_ /\ cosine L = cosine_)
    /\ start L /\ exact L /\ variables L /\ eqE6 L /\ eq11 L /\ eq10 L.
Proof.
  intros dx2_ tau_h_ tau_y_ dh2_0_ dy2_0_ dy2_target_ cosine_ H Ha.
  exists (all_letters dx2_ tau_h_ tau_y_ dh2_0_ dy2_0_ dy2_target_ cosine_).
  split; [repeat split; reflexivity | ].
  split; [now apply all_start | split; [now apply all_exact | split; [now apply all_variables | ]]].
  split; [apply all_modes | split; [apply all_11 | apply all_10]].
Qed.
